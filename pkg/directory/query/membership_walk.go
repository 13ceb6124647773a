package query

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sort"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/cursor"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// membershipWalk goes through the memberships of one group, or of all, in order of group and value: through the
// stored ones, under the open work that the overlay knows. The open changes of a group are read before its members
// (see overlay), and are in memory only while the walk is in that group.
type membershipWalk struct {
	ts *store.TenantStore
	o  membership.Overlay
	// groupID is the group; "" is all.
	groupID string
	from    *cursor.Place // after it; nil is the beginning
	limit   int           // about how many are going to be asked for; 0 is any number
}

// all yields the memberships one by one.
func (w membershipWalk) all(ctx context.Context) iter.Seq2[membership.Link, error] {
	return func(yield func(membership.Link, error) bool) {
		if _, err := w.each(ctx, func(l membership.Link) bool { return yield(l, nil) }); err != nil {
			yield(membership.Link{}, err)
		}
	}
}

// each calls use for the memberships until it returns false: then more is false.
func (w membershipWalk) each(ctx context.Context, use func(membership.Link) bool) (more bool, err error) {
	use = w.shown(use)
	if w.groupID != "" {
		return w.group(ctx, w.groupID, use)
	}
	prefix := w.ts.MemberPrefix("")
	q := store.Query{PK: prefix.PK, Limit: w.limit, After: w.after("")}
	for _, id := range w.targets() {
		next := w.ts.MemberPrefix(id).SK
		if q.To = next; q.After < next {
			if more, err = w.stored(ctx, q, use); err != nil || !more {
				return more, err
			}
		}
		if more, err = w.group(ctx, id, use); err != nil || !more {
			return more, err
		}
		q.From, q.After = next[:len(next)-len(store.Sep)]+behindSep, ""
	}
	q.To = ""
	return w.stored(ctx, q, use)
}

// behindSep sorts right after store.Sep, and before any other character that can follow the id of a group.
const behindSep = "\x02"

// targets are the groups with open work that the walk comes to, in order.
func (w membershipWalk) targets() []string {
	var ids []string
	for _, open := range w.o.Open {
		if w.from == nil || open.Target >= w.from.Key {
			ids = append(ids, open.Target)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// after is the sort key of the place that the walk begins after, if it is in the group, or the group is "".
func (w membershipWalk) after(groupID string) string {
	if w.from == nil || groupID != "" && groupID != w.from.Key {
		return ""
	}
	return w.ts.Member(w.from.Key, w.from.ID).SK
}

// shown returns use without the memberships of deleted groups and members.
func (w membershipWalk) shown(use func(membership.Link) bool) func(membership.Link) bool {
	return func(l membership.Link) bool {
		if w.o.Gone[l.GroupID] || w.o.Gone[l.Value] && l.Type != membership.TypeNone {
			return true
		}
		return use(l)
	}
}

// stored calls use for the memberships stored in a range of keys.
func (w membershipWalk) stored(
	ctx context.Context, q store.Query, use func(membership.Link) bool,
) (more bool, err error) {
	for it, err := range w.ts.All(ctx, q) {
		if err != nil {
			return false, err
		}
		parts := store.Split(it.SK)
		if len(parts) == 2 && !use(membership.Link{GroupID: parts[0], Member: membership.StoredMember(parts[1], it)}) {
			return false, nil
		}
	}
	return true, nil
}

// group calls use for the members of a group: those that are stored, and in their order those that an open change is
// still to add.
func (w membershipWalk) group(ctx context.Context, id string, use func(membership.Link) bool) (more bool, err error) {
	changes, err := w.o.ChangesOf(ctx, w.ts, id)
	if err != nil {
		return false, err
	}
	adds, err := w.adds(ctx, id, changes)
	if err != nil {
		return false, err
	}
	// upTo uses the additions that stand before a stored value, and passes over one that is that value; "" is the end.
	upTo := func(value string) bool {
		for len(adds) > 0 {
			order := -1
			if value != "" {
				order = membership.CompareKeys(adds[0].Value, value)
			}
			if order > 0 {
				break
			}
			next := adds[0]
			adds = adds[1:]
			if order < 0 && !use(membership.Link{GroupID: id, Member: next}) {
				return false
			}
		}
		return true
	}
	prefix := w.ts.MemberPrefix(id)
	q := store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: w.limit, After: w.after(id)}
	more, err = w.stored(ctx, q, func(l membership.Link) bool {
		if !upTo(l.Value) {
			return false
		}
		c, changed := changes[l.Value]
		return changed && !c.Add || use(l)
	})
	return more && upTo(""), err
}

// adds are the members that open changes of a group are to add after the beginning of the walk, in order.
func (w membershipWalk) adds(
	ctx context.Context, id string, changes map[string]membership.Change,
) ([]membership.Member, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	behind := maps.Clone(changes)
	if w.from != nil && w.from.Key == id {
		maps.DeleteFunc(behind,
			func(value string, _ membership.Change) bool { return membership.CompareKeys(value, w.from.ID) <= 0 })
	}
	adds, err := membership.StillThere(ctx, w.ts, behind)
	sort.Slice(adds, func(i, j int) bool { return membership.CompareKeys(adds[i].Value, adds[j].Value) < 0 })
	return adds, err
}
