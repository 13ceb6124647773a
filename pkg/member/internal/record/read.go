package record

import (
	"context"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// PublishedOf reads members as published, without those who were not.
func PublishedOf(ctx context.Context, ts *store.TenantStore, ids []string) ([]Member, error) {
	items, err := ts.Get(ctx, store.EachKey(ids, ts.Published)...)
	if err != nil {
		return nil, err
	}
	var all []Member
	for _, item := range items {
		if item.Attrs == nil {
			continue
		}
		m, err := DecodeItem(item)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// MemberNames fills in the displayNames of members by their ids, as they were published.
func MemberNames(ctx context.Context, ts *store.TenantStore, names map[string]string) error {
	members, err := PublishedOf(ctx, ts, slices.Collect(maps.Keys(names)))
	for _, m := range members {
		names[m.ID] = m.DisplayName
	}
	return err
}
