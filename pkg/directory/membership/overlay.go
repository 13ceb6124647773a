package membership

import (
	"context"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Overlay is the open work of a tenant as far as it changes the result of a read.
//
// Chunks are read before the members. So a chunk that is applied in between is seen twice, which does no harm, and
// never missed.
type Overlay struct {
	Gone   map[string]bool   // deleted resources, also those whose traces were removed a moment ago
	Open   []work            // changes of members, not yet rolled forward
	closed map[string]string // changes of members that were completed a moment ago: the group by work id
}

// overlay reads the open work. Completed work that has lingered is left to the background.
func (s *Service) overlay(ctx context.Context, ts *store.TenantStore) (Overlay, error) {
	o := Overlay{Gone: map[string]bool{}, closed: map[string]string{}}
	all, err := openWork(ctx, ts)
	stale := false
	for _, w := range all {
		switch {
		case s.Now().Sub(w.closed) >= linger && !w.closed.IsZero():
			stale = true
		case w.kind == workGone:
			o.Gone[w.Target] = true
		case w.kind == workMembers && w.closed.IsZero():
			o.Open = append(o.Open, w)
		case w.kind == workMembers:
			o.closed[w.id] = w.Target
		}
	}
	if stale {
		s.Background(ts.TenantID())
	}
	return o, err
}

// empty reports whether members and groups that were read beside the overlay are right as they are.
func (o Overlay) empty() bool { return o.Quiet() && len(o.Gone) == 0 }

// Quiet reports whether the groups that were read beside the overlay are right as they are.
func (o Overlay) Quiet() bool { return len(o.Open) == 0 && len(o.closed) == 0 }

// knew reports whether o, which was read before the members of a group (of any group for ""), has all changes of them
// that later has, which was read after them.
func (o Overlay) knew(later Overlay, groupID string) bool {
	known := func(id string) bool {
		_, closed := o.closed[id]
		return closed || slices.ContainsFunc(o.Open, func(w work) bool { return w.id == id })
	}
	for _, w := range later.Open {
		if (groupID == "" || w.Target == groupID) && !known(w.id) {
			return false
		}
	}
	for id, target := range later.closed {
		if (groupID == "" || target == groupID) && !known(id) {
			return false
		}
	}
	return true
}

// ChangesOf reads the rest of the open changes of a group, by member value.
func (o Overlay) ChangesOf(ctx context.Context, ts *store.TenantStore, groupID string) (map[string]Change, error) {
	changes := map[string]Change{}
	for _, w := range o.Open {
		if w.Target != groupID {
			continue
		}
		prefix := ts.ChunkPrefix(w.id)
		for it, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
			if err != nil {
				return nil, err
			}
			chunk, err := decodeChunk(it)
			if err != nil {
				return nil, err
			}
			for _, c := range chunk {
				changes[c.Value] = c
			}
		}
	}
	return changes, nil
}

// ChangeFor reads the changes of one member in the open changes of all groups: for each the one chunk in which it
// can be, since chunks are in order of value.
func (o Overlay) ChangeFor(ctx context.Context, ts *store.TenantStore, value string) (map[string]Change, error) {
	groups := map[string]Change{} // by group id
	for _, w := range o.Open {
		page, err := ts.Query(ctx, store.Query{
			PK: ts.Chunk(w.id, value).PK, From: ts.ChunkPrefix(w.id).SK, To: ts.Chunk(w.id, value).SK, Reverse: true,
			Limit: 1,
		})
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			chunk, err := decodeChunk(it)
			if err != nil {
				return nil, err
			}
			for _, c := range chunk {
				if c.Value == value {
					groups[w.Target] = c
				}
			}
		}
	}
	return groups, nil
}

// StillThere returns the members that changes are to add, without those who were deleted since the changes were
// committed: their deletion does not know of memberships to come.
func StillThere(ctx context.Context, ts *store.TenantStore, changes map[string]Change) ([]Member, error) {
	var added []Member
	for _, value := range slices.Sorted(maps.Keys(changes)) {
		if c := changes[value]; c.Add {
			added = append(added, c.Member)
		}
	}
	var there []Member
	for part := range slices.Chunk(added, lookUpAtOnce) {
		keys := make([]store.Key, len(part))
		for i, v := range part {
			if keys[i] = ts.User(v.Value); v.Type == TypeGroup {
				keys[i] = ts.Group(v.Value)
			}
		}
		items, err := ts.Get(ctx, keys...)
		if err != nil {
			return nil, err
		}
		for i, v := range part {
			if v.Type == TypeNone || items[i].Attrs != nil {
				there = append(there, v)
			}
		}
	}
	return there, nil
}
