package membership

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// fewGroups is in how many groups a user may be whose deletion takes the memberships along. More would make its
// transaction one that many others get in the way of.
const fewGroups = 8

// LeaveGroups returns the operations that take a user out of the groups it is in: none if the groups are many, and
// none for a group that is being changed.
func (s *Service) LeaveGroups(ctx context.Context, ts *store.TenantStore, id string) (*store.Tx, error) {
	var tx store.Tx
	prefix := ts.MemberOfPrefix(id)
	page, err := ts.Query(ctx,
		store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly, Limit: fewGroups + 1})
	if err != nil || page.Count > fewGroups {
		return &tx, err
	}
	keys := store.EachKey(page.Items, func(it store.Item) store.Key { return ts.Group(store.LastPart(it.SK)) })
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return &tx, err
	}
	for _, it := range items {
		if it.Attrs == nil || row.Text(scim.Object(it.Attrs), row.AttrOpen) != "" {
			continue
		}
		touch := s.TouchGroup(ts.Keys, it.SK)
		touch.Set[row.AttrModified] = s.Later(row.FromMillis(it.Attrs[row.AttrModified])).UnixMilli()
		touch.Add[row.AttrMembers] = -1
		tx.Must(touch, store.ErrStale)
		tx.Must(store.RemoveItem(ts.Member(it.SK, id)).When(store.IsNot("type", TypeNone), store.IsThere()),
			store.ErrStale)
		tx.Add(store.RemoveItem(ts.MemberOf(id, it.SK)))
	}
	return &tx, nil
}

// LeaveGone leaves it to open work to remove the references to a resource that the write deletes: a group, or a
// user.
func (s *Service) LeaveGone(w *Write, id string, group bool) {
	gone := s.newWork(workGone, id)
	gone.group = group
	w.leave(gone)
}
