package query

import (
	"context"
	"errors"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/lookup"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

const (
	// attachers is how many groups of users, or members of groups, are read in parallel.
	attachers = 16
	// fewRows is up to how many rows are attached to one by one, and not by a range.
	fewRows = 8
)

// attaching returns the rows, by index, that are to be completed: users with groups, or groups with members.
func (l *lister) attaching(groups bool) []int {
	var at []int
	for i, r := range l.rows {
		if r.kind.attach && row.IsGroup(r.kind.rt) == groups && (!groups || r.res.Doc != nil) {
			at = append(at, i)
		}
	}
	return at
}

// adjacent reports whether the page follows the order of ids without a gap, so that one range read serves it.
func (l *lister) adjacent(rows []int) bool {
	return len(rows) > fewRows && l.order.byID() && l.rows[rows[0]].kind.filter == nil
}

// ids returns the ids of rows.
func (l *lister) ids(rows []int) []string {
	ids := make([]string, len(rows))
	for i, at := range rows {
		ids[i] = l.rows[at].ID
	}
	return ids
}

// groupsOf reads the ids of the groups of users, by user id. In range, the users follow each other. Deleted groups are
// among them. Those of one user are of one moment.
func (l *lister) groupsOf(ctx context.Context, ids []string, inRange bool) (groups map[string][]string, err error) {
	err = l.d.Members.BesideUnless(ctx, l.ts, membership.Overlay.Quiet,
		func(ctx context.Context, o membership.Overlay) (err error) {
			if len(o.Open) == 0 && inRange {
				groups, err = l.groupsInRange(ctx, ids)
			} else {
				groups, err = l.groupsEach(ctx, o, ids)
			}
			return err
		})
	return groups, err
}

func (l *lister) groupsEach(ctx context.Context, o membership.Overlay, ids []string) (map[string][]string, error) {
	lists := make([][]string, len(ids))
	g, ctx := task.WithContext(ctx)
	g.SetLimit(attachers)
	for i, id := range ids {
		g.Go(func() (err error) {
			lists[i], err = lookup.GroupsAtOnce(ctx, o, l.ts, id)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	groups := make(map[string][]string, len(ids))
	for i, id := range ids {
		groups[id] = lists[i]
	}
	return groups, nil
}

func (l *lister) groupsInRange(ctx context.Context, ids []string) (map[string][]string, error) {
	from, to := l.ts.MemberOfPrefix(slices.Min(ids)), l.ts.MemberOf(slices.Max(ids), "\U0010FFFF")
	groups := make(map[string][]string, len(ids))
	for _, id := range ids {
		groups[id] = nil
	}
	split := map[string]bool{} // users with whom a page ends: more of their groups may be on the next
	for page, err := range l.ts.Pages(ctx, store.Query{PK: from.PK, From: from.SK, To: to.SK, Select: store.KeysOnly}) {
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			parts := store.Split(it.SK)
			if list, wanted := groups[parts[0]]; wanted {
				groups[parts[0]] = append(list, parts[1])
			}
		}
		if n := len(page.Items); n > 0 && page.More {
			split[store.Split(page.Items[n-1].SK)[0]] = true
		}
	}
	for id := range groups {
		if split[id] {
			list, err := lookup.GroupsAtOnce(ctx, membership.Overlay{}, l.ts, id)
			if err != nil {
				return nil, err
			}
			groups[id] = list
		}
	}
	return groups, nil
}

// userGroups are the ids of the groups of users, by user id, and the moment before they were read.
type userGroups struct {
	of    map[string][]string
	began int
}

// readGroups reads the groups of users, see groupsOf.
func (l *lister) readGroups(ctx context.Context, ids []string, inRange bool) (u userGroups, err error) {
	u.began = l.versions.moment()
	u.of, err = l.groupsOf(ctx, ids, inRange)
	return u, err
}

// setGroups puts groups into the answers about users, and marks those whose groups may have changed since.
func (l *lister) setGroups(ctx context.Context, rows []found, u userGroups) error {
	var all []string
	seen := map[string]bool{}
	for _, r := range rows {
		for _, id := range u.of[r.ID] {
			if !seen[id] {
				seen[id] = true
				all = append(all, id)
			}
		}
	}
	byID, err := l.d.Members.GroupReferences(ctx, l.t, l.ts, all)
	if err != nil {
		return err
	}
	changed := l.versions.see(all, byID, u.began)
	for i := range rows {
		r := &rows[i]
		r.moved = false
		if list := u.of[r.ID]; len(list) > 0 && r.res.Doc != nil {
			membership.SetGroups(r.res.Doc, list, byID)
			r.moved = slices.ContainsFunc(list, func(id string) bool { return changed[id] })
		}
	}
	return nil
}

// attachMembers puts members into the answers about groups. The page ends before the group whose members do not fit it
// any more; a group that does not fit a page of its own is a *scim.Error 400 tooMany.
func (l *lister) attachMembers(ctx context.Context) error {
	groups := l.attaching(true)
	if len(groups) == 0 {
		return nil
	}
	look := membership.LookOf(l.t, l.rows[groups[0]].kind.rt, l.rows[groups[0]].kind.sel)
	first := l.left
	if groups[0] == 0 {
		first = max(first, l.q.MaxFirst)
	}
	lists, err := l.membersOf(ctx, l.ids(groups), l.adjacent(groups), look, room{first, l.left})
	if err != nil {
		return err
	}
	if len(lists) == 0 && groups[0] == 0 {
		return membership.MembersDoNotFit(row.Text(l.rows[0].res.Doc, "displayName"))
	}
	for i, list := range lists {
		r := &l.rows[groups[i]]
		if r.late() {
			matches, open := r.kind.among(l.t, r.res.Doc, list.members)
			r.failed, r.open = !matches, open || list.split
		}
		if shown := look.Encode(list.members); shown != nil {
			r.res.Doc["members"] = shown
		}
	}
	if len(lists) < len(groups) {
		l.rows, l.more = l.rows[:groups[len(lists)]], true
	}
	return nil
}

// members are those of a group.
type members struct {
	members []membership.Member
	split   bool // they were on several pages of the engine, and so may be of several moments
}

// room is how large the members of groups may be in an answer, in bytes: those of the first group, and of all.
type room struct{ first, size int }

// membersOf reads the members of groups, by the ids' order: of as many groups as fit a size, as the look shows them;
// those of the first may have its own size. In range, the groups follow each other.
func (l *lister) membersOf(
	ctx context.Context, ids []string, inRange bool, look membership.Look, room room,
) (lists []members, err error) {
	o, err := l.d.Members.Behind(ctx, l.ts, "", func(ctx context.Context, o membership.Overlay) (err error) {
		if len(o.Open) == 0 && inRange {
			lists, err = l.membersInRange(ctx, o, ids, look, room)
		} else {
			lists, err = l.membersEach(ctx, o, ids, look, room)
		}
		return err
	})
	for i := range lists {
		lists[i].members = o.WithoutGone(lists[i].members)
	}
	return lists, err
}

// membersInRange reads the members of adjacent groups: of as many as fit the page.
func (l *lister) membersInRange(
	ctx context.Context, o membership.Overlay, ids []string, look membership.Look, room room,
) ([]members, error) {
	from, to := l.ts.MemberPrefix(slices.Min(ids)), l.ts.Member(slices.Max(ids), "\U0010FFFF")
	down := ids[0] > ids[len(ids)-1]
	reader := membership.Reader{TS: l.ts, Look: look, Limit: room.first}
	lists := make([]members, len(ids))
	at := make(map[string]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	fitting := len(ids)
pages:
	for page, err := range l.ts.Pages(ctx, store.Query{PK: from.PK, From: from.SK, To: to.SK, Reverse: down}) {
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			parts := store.Split(it.SK)
			i, wanted := at[parts[0]]
			v := membership.StoredMember(parts[len(parts)-1], it)
			if !wanted || o.IsGone(v) {
				continue
			}
			if reader.Fits(v) != nil || i > 0 && reader.Limit < room.first-room.size {
				fitting = i
				break pages
			}
			lists[i].members = append(lists[i].members, v)
		}
		if n := len(page.Items); n > 0 && page.More {
			if i, wanted := at[store.Split(page.Items[n-1].SK)[0]]; wanted {
				lists[i].split = true // more of the group's members may be on the next page
			}
		}
	}
	if down {
		for _, list := range lists {
			slices.Reverse(list.members)
		}
	}
	return lists[:fitting], nil
}

// membersEach reads the members of groups one by one, some in parallel.
func (l *lister) membersEach(
	ctx context.Context, o membership.Overlay, ids []string, look membership.Look, room room,
) ([]members, error) {
	lists, left := make([]members, len(ids)), room.size
	limit := func(at int) int {
		if at == 0 {
			return room.first
		}
		return left
	}
	for start := 0; start < len(ids); start += fewRows {
		chunk := ids[start:min(start+fewRows, len(ids))]
		used := make([]int, len(chunk))
		g, gctx := task.WithContext(ctx)
		for i, id := range chunk {
			g.Go(func() (err error) {
				reader := membership.Reader{TS: l.ts, Look: look, Limit: limit(start + i)}
				lists[start+i].members, err = reader.Read(gctx, o, id)
				lists[start+i].split = reader.Split
				used[i] = limit(start+i) - reader.Limit
				if errors.Is(err, membership.ErrTooLarge) {
					return nil
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
		for i := range chunk {
			if used[i] > limit(start+i) {
				return lists[:start+i], nil
			}
			left = max(left-used[i], 0)
		}
	}
	return lists, nil
}

// attachEach completes rows of one type with groups or members and gives them to use one by one. In range, they follow
// each other.
func (l *lister) attachEach(ctx context.Context, k *kind, rows []found, inRange bool, use func(found) error) error {
	for len(rows) > 0 {
		attach := l.someGroups
		if row.IsGroup(k.rt) {
			attach = l.someMembers
		}
		n, err := attach(ctx, rows, inRange && len(rows) > fewRows)
		if err != nil {
			return err
		}
		for _, r := range rows[:n] {
			if err := use(r); err != nil {
				return err
			}
		}
		rows = rows[n:]
	}
	return nil
}

// someGroups completes the first of the rows with groups and returns how many.
func (l *lister) someGroups(ctx context.Context, rows []found, inRange bool) (int, error) {
	if !inRange {
		rows = rows[:min(len(rows), store.MaxGetKeys)]
	}
	groups, err := l.readGroups(ctx, idsOf(rows), inRange)
	if err != nil {
		return 0, err
	}
	return len(rows), l.setGroups(ctx, rows, groups)
}

// someMembers completes the first of the rows with members and returns how many: a few at a time, since several
// searches of ranges do this in parallel, but one at least.
func (l *lister) someMembers(ctx context.Context, rows []found, inRange bool) (int, error) {
	if !inRange {
		rows = rows[:min(len(rows), fewRows)]
	}
	all := membership.LookOf(l.t, rows[0].kind.rt, nil)
	lists, err := l.membersOf(ctx, idsOf(rows), inRange, all, room{MaxAnswerBytes, MaxAnswerBytes / scanners})
	if err != nil {
		return 0, err
	}
	if len(lists) == 0 {
		return 0, membership.MembersDoNotFit(row.Text(rows[0].res.Doc, "displayName"))
	}
	for i, list := range lists {
		rows[i].res.Doc["members"], rows[i].split = membership.Objects(l.t, list.members), list.split
	}
	return len(lists), nil
}

func idsOf(rows []found) []string {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}
