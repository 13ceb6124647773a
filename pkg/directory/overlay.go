package directory

import (
	"context"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// overlay is the open work of a tenant as far as it bears on what a read shows.
//
// Chunks are read before the members they may be missing from: a chunk that is applied in between is then seen twice,
// which does no harm, and never not at all.
type overlay struct {
	gone   map[string]bool   // deleted resources, also those whose traces were removed a moment ago
	open   []work            // changes of members, not yet rolled forward
	closed map[string]string // changes of members that were completed a moment ago: the group by work id
}

// overlay reads the open work. What has lingered is left to the background.
func (d *Directory) overlay(ctx context.Context, ts *store.TenantStore) (overlay, error) {
	o := overlay{gone: map[string]bool{}, closed: map[string]string{}}
	all, err := openWork(ctx, ts)
	stale := false
	for _, w := range all {
		switch {
		case d.o.Now().Sub(w.closed) >= linger && !w.closed.IsZero():
			stale = true
		case w.kind == workGone:
			o.gone[w.target] = true
		case w.kind == workMembers && w.closed.IsZero():
			o.open = append(o.open, w)
		case w.kind == workMembers:
			o.closed[w.id] = w.target
		}
	}
	if stale {
		d.o.Background(ts.TenantID())
	}
	return o, err
}

// empty reports whether members and groups that were read beside the overlay are right as they are, quiet whether the
// groups are.
func (o overlay) empty() bool { return o.quiet() && len(o.gone) == 0 }

func (o overlay) quiet() bool { return len(o.open) == 0 && len(o.closed) == 0 }

// knew reports whether o, read before the members of a group (of any group for ""), knew of all changes of them that
// later, read behind, knows.
func (o overlay) knew(later overlay, groupID string) bool {
	known := func(id string) bool {
		_, closed := o.closed[id]
		return closed || slices.ContainsFunc(o.open, func(w work) bool { return w.id == id })
	}
	for _, w := range later.open {
		if (groupID == "" || w.target == groupID) && !known(w.id) {
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

// changesOf reads what is left of the open changes of a group, by member value.
func (o overlay) changesOf(ctx context.Context, ts *store.TenantStore, groupID string) (map[string]change, error) {
	changes := map[string]change{}
	for _, w := range o.open {
		if w.target != groupID {
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
				changes[c.value] = c
			}
		}
	}
	return changes, nil
}

// changeFor reads what the open changes of all groups say about one member: for each the one chunk in which it can be,
// since chunks are in order of value.
func (o overlay) changeFor(ctx context.Context, ts *store.TenantStore, value string) (map[string]change, error) {
	groups := map[string]change{} // by group id
	for _, w := range o.open {
		page, err := ts.Query(ctx, store.Query{
			PK: ts.Chunk(w.id, value).PK, From: ts.ChunkPrefix(w.id).SK, To: ts.Chunk(w.id, value).SK, Reverse: true, Limit: 1,
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
				if c.value == value {
					groups[w.target] = c
				}
			}
		}
	}
	return groups, nil
}

// stillThere returns the members that changes are to add, without those who were deleted since the changes were
// committed: their deletion does not know of memberships to come.
func stillThere(ctx context.Context, ts *store.TenantStore, changes map[string]change) ([]member, error) {
	var added []member
	for _, value := range slices.Sorted(maps.Keys(changes)) {
		if c := changes[value]; c.add {
			added = append(added, c.member)
		}
	}
	var there []member
	for part := range slices.Chunk(added, lookUpAtOnce) {
		keys := make([]store.Key, len(part))
		for i, v := range part {
			if keys[i] = ts.User(v.value); v.typ == memberGroup {
				keys[i] = ts.Group(v.value)
			}
		}
		items, err := ts.Get(ctx, keys...)
		if err != nil {
			return nil, err
		}
		for i, v := range part {
			if v.typ == memberNone || items[i].Attrs != nil {
				there = append(there, v)
			}
		}
	}
	return there, nil
}
