package query

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/membershipid"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/cursor"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/lookup"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// membershipList is a source of rows for a page: memberships, in order of group and then of the member's value.
// The lister begins and finishes the page as any other. A filter that names the group, the member or both by `eq`
// is a look-up. The rest of the filter is tested against each membership that the look-up finds, or against all if
// it names neither. The place of a membership is its group as key and the member's value as id.
type membershipList struct {
	*lister
	rt  *schema.ResourceType
	ids membershipid.IDs

	groupID, value   string // as the filter names them
	byGroup, byValue bool
	rest             *filter.Matcher // the filter, if it says anything beside that; else nil
	named            bool            // names of members are needed

	joined  []membership.Link // of a member: all, with the parts that are known without reading each
	links   []membership.Link
	records map[string]row.Record
	passed  int  // results before links, after from
	ended   bool // there is nothing after links
	present int  // the number of the results, from the group's item; -1 if it is not known
}

const (
	// maxCounted is how many memberships a page of a cursor walk counts for its total; if there are more, the total
	// is left out (RFC 9865, section 2).
	maxCounted = 10_000
	// atOnce is how many memberships are tested against a filter together.
	atOnce = 500
)

// listMemberships answers a query for memberships (draft-zollner-scim-group-membership, RFC 7644, section 3.4.2, and
// RFC 9865).
func (d *Service) listMemberships(ctx context.Context, t row.Tenant, rt *schema.ResourceType, q Query) (Page, error) {
	if strings.TrimSpace(q.SortBy) != "" {
		return Page{}, scim.BadRequest(scim.InvalidPath,
			"Memberships can't be sorted: they are in order of group.value, then member.value. "+
				"Leave sortBy out.")
	}
	ids, err := membership.MembershipIDs(t)
	if err != nil {
		return Page{}, err
	}
	m := &membershipList{
		lister: &lister{
			d: d, t: t, ts: d.Store.Tenant(t.ID), q: q, types: []*schema.ResourceType{rt}, known: -1,
			forward: true,
		},
		rt: rt, ids: ids, present: -1, records: map[string]row.Record{},
	}
	sel := q.Selection
	if own, given := q.Selections[rt.ID]; given {
		sel = own
	}
	m.named = sel.WantsPart(rt, "member", "display")
	if err := m.plan(q.Filter); err != nil {
		return Page{}, err
	}
	if err := m.start(ctx); err != nil {
		return Page{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, d.MaxScan, errScanTime)
	defer cancel()
	list, err := m.page(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errScanTime) {
		err = tooManyMemberships()
	}
	return list, err
}

func tooManyMemberships() error {
	return scim.BadRequest(scim.TooMany, "There are too many memberships to search for one response. "+
		"Filter by group.value or member.value, alone or joined to others with `and`, or read the list with cursors.")
}

// plan takes from a filter the comparisons that name a group or a member.
func (m *membershipList) plan(e filter.Expr) error {
	if e == nil {
		return nil
	}
	matches, err := filter.Bind(e, m.rt, m.t.Dialect)
	if err != nil {
		return err
	}
	rest := m.narrowed(lookup.NewPlanner(m.d.Members, m.t, m.ts, m.rt), e)
	if rest == nil {
		return nil
	}
	// That a name is asked for somewhere is enough to read it: it does no harm beside a value that looks like one.
	m.named = m.named || strings.Contains(strings.ToLower(rest.String()), "display")
	m.rest = matches
	return nil
}

// narrowed returns the rest of a filter.
func (m *membershipList) narrowed(p *lookup.Planner, e filter.Expr) filter.Expr {
	name, value, ok := "", "", false
	switch e := e.(type) {
	case filter.And:
		l := m.narrowed(p, e.L)
		return plan.And(l, m.narrowed(p, e.R))
	case filter.Compare:
		if e.Op == filter.Eq && e.Path.Filter == nil {
			name = p.Name(e.Path.Name)
			value, ok = p.Text(e.Value)
		}
	case filter.Match:
		pairs, pure := filter.EqualPairs(e.Path.Filter)
		for sub, v := range pairs {
			if pure && len(pairs) == 1 && strings.EqualFold(sub, "value") {
				name = p.Name(e.Path.Name)
				value, ok = p.Text(v)
			}
		}
	}
	switch {
	case !ok:
	case (name == "group" || name == "group.value") && !m.byGroup:
		m.byGroup, m.groupID = true, value
		return nil
	case (name == "member" || name == "member.value") && !m.byValue:
		m.byValue, m.value = true, value
		return nil
	case name == "id" && !m.byGroup && !m.byValue:
		// A value that is no id finds nothing, since it names no group.
		m.groupID, m.value, _ = m.ids.Read(value)
		m.byGroup, m.byValue = true, true
		return nil
	}
	return e
}

// page reads the page and the total.
func (m *membershipList) page(ctx context.Context) (Page, error) {
	o, err := m.find(ctx)
	if err != nil {
		return Page{}, err
	}
	if err := m.count(ctx, o); err != nil {
		return Page{}, err
	}
	if m.more = len(m.links) > m.q.Count; m.more {
		m.links = m.links[:m.q.Count]
	}
	if m.rest == nil { // else it is done already
		if m.links, err = m.fill(ctx, m.links); err != nil {
			return Page{}, err
		}
	}
	k := &kind{rt: m.rt}
	for _, l := range m.links {
		m.rows = append(m.rows, found{
			kind: k, Place: cursor.Place{Key: l.GroupID, ID: l.Value},
			res: membership.MembershipResource(m.t, m.ids, l),
		})
	}
	return m.finish(ctx)
}

// find reads the memberships of the page and one more if there are more, and returns the open work under which it
// did.
func (m *membershipList) find(ctx context.Context) (o membership.Overlay, err error) {
	switch {
	case m.byGroup && m.byValue:
		l, found, err := m.d.Members.FindLink(ctx, m.ts, m.groupID, m.value)
		if err != nil {
			return o, err
		}
		if found {
			m.joined = []membership.Link{l}
		}
		return o, m.take(ctx, o)
	case m.byValue:
		if err := m.findLinks(ctx); err != nil {
			return o, err
		}
		return o, m.take(ctx, o)
	case m.byGroup && !row.ValidID(m.groupID):
		m.ended = true
		return o, nil
	}
	return m.d.Members.BehindAll(ctx, m.ts, m.groupID, m.readWalk)
}

// findLinks lists the memberships of a member, in order of group, with the parts that are known without reading
// each.
func (m *membershipList) findLinks(ctx context.Context) error {
	if m.value == "" || membership.TooLong(m.value) {
		return nil
	}
	groups, changed, err := lookup.NewPlanner(m.d.Members, m.t, m.ts, schema.GroupType()).MemberIn(ctx, m.value)
	if err != nil {
		return err
	}
	slices.Sort(groups)
	for _, id := range slices.Compact(groups) {
		l := membership.Link{GroupID: id, Member: membership.Member{Value: m.value}}
		if c := changed[id]; c.Add {
			l.Member = c.Member
		}
		m.joined = append(m.joined, l)
	}
	return nil
}

// readWalk reads the page of a group, or of all memberships, and beside it the group.
func (m *membershipList) readWalk(ctx context.Context, o membership.Overlay) error {
	m.present, m.records = -1, map[string]row.Record{}
	var group row.Record
	g, gctx := task.WithContext(ctx)
	if m.byGroup {
		g.Go(func() (err error) {
			group, err = row.Read(gctx, m.ts, schema.GroupType(), m.groupID)
			if row.IsNotFound(err) {
				return nil
			}
			return err
		})
	}
	if err := g.Join(func() error { return m.take(gctx, o) }); err != nil || !m.byGroup {
		return err
	}
	m.records[m.groupID] = group
	switch {
	case group.Doc == nil || o.Gone[m.groupID]:
		m.links, m.passed, m.ended, m.present = nil, 0, true, 0
	case m.rest == nil:
		gone, err := goneMembers(ctx, m.ts, o, m.groupID)
		m.present = int(group.Members) - gone
		return err
	}
	return nil
}

// source yields the memberships after a place; limit is about how many will be asked for, 0 for all.
func (m *membershipList) source(
	ctx context.Context, o membership.Overlay, from *cursor.Place, limit int,
) iter.Seq2[membership.Link, error] {
	if m.byValue {
		return func(yield func(membership.Link, error) bool) {
			for _, l := range m.joined {
				if (from == nil || l.GroupID > from.Key) && !yield(l, nil) {
					return
				}
			}
		}
	}
	if m.rest != nil || limit > maxCounted {
		limit = 0
	}
	w := membershipWalk{ts: m.ts, o: o, from: from, limit: limit}
	if m.byGroup {
		w.groupID = m.groupID
	}
	return w.all(ctx)
}

// goneMembers counts the members of a group that were deleted and are still stored as members.
func goneMembers(ctx context.Context, ts *store.TenantStore, o membership.Overlay, groupID string) (n int, err error) {
	keys := make([]store.Key, 0, len(o.Gone))
	for id := range o.Gone {
		keys = append(keys, ts.Member(groupID, id))
	}
	items, err := ts.Get(ctx, keys...)
	for _, it := range items {
		if it.Attrs != nil && row.Text(scim.Object(it.Attrs), "type") != membership.TypeNone {
			n++
		}
	}
	return n, err
}

// take fills links with the memberships that pass the filter, after as many as are to be skipped.
func (m *membershipList) take(ctx context.Context, o membership.Overlay) error {
	m.links, m.passed, m.ended = nil, 0, false
	if m.need() == 0 {
		return nil
	}
	enough := false
	err := m.each(ctx, m.source(ctx, o, m.from, m.skip+m.need()), func(l membership.Link) bool {
		if m.passed < m.skip {
			m.passed++
			return true
		}
		m.links = append(m.links, l)
		enough = len(m.links) == m.need()
		return !enough
	})
	m.ended = !enough
	return err
}

// each calls use for the memberships of a source that pass the filter, until it returns false.
func (m *membershipList) each(
	ctx context.Context, source iter.Seq2[membership.Link, error], use func(membership.Link) bool,
) error {
	seen := 0
	var chunk []membership.Link
	flush := func() (more bool, err error) {
		if m.rest != nil {
			if chunk, err = m.fill(ctx, chunk); err != nil {
				return false, err
			}
		}
		for _, l := range chunk {
			if m.rest != nil && !m.rest.Match(membership.MembershipResource(m.t, m.ids, l).Doc) {
				continue
			}
			if !use(l) {
				return false, nil
			}
		}
		chunk = chunk[:0]
		return true, nil
	}
	size := 1
	if m.rest != nil {
		size = atOnce
	}
	for l, err := range source {
		if err != nil {
			return err
		}
		if seen++; seen > m.d.MaxRows {
			return tooManyMemberships()
		}
		if chunk = append(chunk, l); len(chunk) < size {
			continue
		}
		if more, err := flush(); err != nil || !more {
			return err
		}
	}
	_, err := flush()
	return err
}

// fill reads the missing parts of memberships: their groups, and for some the stored member with its type and
// time. A membership deleted a moment ago is left out.
func (m *membershipList) fill(ctx context.Context, links []membership.Link) ([]membership.Link, error) {
	var keys []store.Key
	asked := map[string]bool{}
	for _, l := range links {
		if _, known := m.records[l.GroupID]; !known && l.Group.Doc == nil && !asked[l.GroupID] {
			asked[l.GroupID] = true
			keys = append(keys, m.ts.Group(l.GroupID))
		}
	}
	groups := len(keys)
	for _, l := range links {
		if l.At == 0 && m.byValue {
			keys = append(keys, m.ts.Member(l.GroupID, l.Value))
		}
	}
	items, err := m.ts.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for _, it := range items[:groups] {
		m.records[it.SK] = row.Record{}
		if it.Attrs != nil {
			if m.records[it.SK], err = row.Decode(schema.GroupType(), it); err != nil {
				return nil, err
			}
		}
	}
	items = items[groups:]
	whole := make([]membership.Link, 0, len(links))
	for _, l := range links {
		if l.At == 0 && m.byValue {
			it := items[0]
			if items = items[1:]; it.Attrs == nil {
				continue
			}
			l.Member = membership.StoredMember(l.Value, it)
		}
		if l.Group.Doc == nil {
			l.Group = m.records[l.GroupID]
		}
		if l.Group.Doc != nil {
			whole = append(whole, l)
		}
	}
	if len(m.records) > maxCounted { // of a walk through all of them
		m.records = map[string]row.Record{}
	}
	each := make([]*membership.Link, len(whole))
	for i := range whole {
		each[i] = &whole[i]
	}
	return whole, membership.NameMembers(ctx, m.ts, each, m.named)
}

// count sets the total: from the group's item, from an earlier page of the walk, or by counting the memberships
// that follow.
func (m *membershipList) count(ctx context.Context, o membership.Overlay) error {
	reached := m.passed + len(m.links)
	switch {
	case m.byValue && m.rest == nil:
		m.total = len(m.joined)
		return nil
	case m.present >= 0:
		m.total = m.present
		return nil
	case m.known >= 0:
		m.total, m.searched = m.known, true
		return nil
	case m.from != nil && m.q.HasCursor:
		m.total = -1
		return nil
	case m.from != nil:
		m.total = m.q.StartIndex - 1 + reached
		return nil
	}
	m.searched, m.total = true, reached
	if m.ended {
		return nil
	}
	var from *cursor.Place
	if len(m.links) > 0 {
		last := m.links[len(m.links)-1]
		from = &cursor.Place{Key: last.GroupID, ID: last.Value}
	}
	counted := 0
	err := m.each(ctx, m.source(ctx, o, from, 0), func(membership.Link) bool {
		counted++
		return !m.q.HasCursor || counted <= maxCounted
	})
	if m.total += counted; m.q.HasCursor && counted > maxCounted {
		m.total, m.searched = -1, false
	}
	return err
}
