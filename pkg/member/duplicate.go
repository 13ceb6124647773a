package member

import (
	"context"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
)

// Duplicates returns a page of pairs of members who are probably one person, after an id. count bounds the members
// whose pairs are returned; each has up to ten.
func (s *Service) Duplicates(
	ctx context.Context, t Tenant, after string, count int,
) ([]record.Duplicate, string, error) {
	l := record.By(record.BySuspected, "")
	l.Now = s.o.Now()
	ts := s.store.Tenant(t.ID)
	var page record.List
	if err := l.Walk(ctx, ts, after, count, &page); err != nil {
		return nil, "", err
	}
	others := map[string]bool{}
	for _, m := range page.Members {
		for _, id := range m.Suspects {
			others[id] = true
		}
	}
	read, err := record.PublishedOf(ctx, ts, slices.Sorted(maps.Keys(others)))
	if err != nil {
		return nil, "", err
	}
	byID := map[string]record.Member{}
	for _, m := range read {
		byID[m.ID] = m
	}
	var all []record.Duplicate
	var shown []record.Member
	for _, m := range page.Members {
		for _, id := range m.Suspects {
			if by := record.SharedBy(m, byID[id]); by != nil {
				all, shown = append(all, record.Duplicate{By: by}), append(shown, byID[id], m)
			}
		}
	}
	if err := s.publisher.Join(ctx, t, shown); err != nil {
		return nil, "", err
	}
	for i := range all {
		first, second := shown[2*i], shown[2*i+1]
		if second.CreatedAt.Before(first.CreatedAt) {
			first, second = second, first
		}
		all[i].Members = [2]record.Member{first, second}
	}
	return all, page.Next, nil
}
