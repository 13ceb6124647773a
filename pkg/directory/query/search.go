package query

import (
	"context"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/cursor"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/lookup"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Search answers a query across one or several resource types (RFC 7644, sections 3.4.2 and 3.4.2.1, and RFC 9865).
// Without SortBy, results are in order of id, which no change moves, and all resources of a type stand together. An
// attribute that only some of the types have is one without a value for the others.
func (d *Service) Search(ctx context.Context, t row.Tenant, types []*schema.ResourceType, q Query) (Page, error) {
	if len(types) == 1 && row.IsMembership(types[0]) {
		return d.listMemberships(ctx, t, types[0], q)
	}
	l, err := d.lister(t, types, q)
	if err != nil {
		return Page{}, err
	}
	l.log(ctx)
	if err := l.start(ctx); err != nil {
		return Page{}, err
	}
	if err := l.read(ctx); err != nil {
		return Page{}, err
	}
	return l.finish(ctx)
}

// kind is a resource type that a query reads, with the query as it applies to the type.
type kind struct {
	rt      *schema.ResourceType
	sel     *schema.Projection
	index   int         // among the types of the query
	attach  bool        // groups or members are part of the answer
	filter  filter.Expr // nil: all match
	matches *filter.Matcher
	asks    bool            // the filter asks about groups or members
	mixed   bool            // it asks about something beside these
	narrow  *plan.Narrowing // nil: the filter is not narrow
	exact   bool            // all resources that narrow finds match
	sort    schema.Ref      // the attribute to sort by; none: no value

	// known are the groups or members that lookups have found, of those that the filter asks about. reads says that
	// these do not decide it: all groups or members of a resource have to be read.
	known []plan.Membership
	reads bool
	few   bool // lookups found few candidates
}

// lister makes one page.
type lister struct {
	d     *Service
	t     row.Tenant
	ts    *store.TenantStore
	q     Query
	types []*schema.ResourceType
	kinds []*kind // those that can have results

	order order
	down  bool // reads from the highest place down
	back  bool // reads towards the beginning, for a previousCursor
	// forward says that there are no previous cursors.
	forward bool
	from    *cursor.Place // reads after it; nil reads from the beginning
	skip    int           // passes over so many results first
	known   int           // the total, as found when the walk began; -1 if it has to be counted

	// from is the end of the page before, and something was created or deleted since the walk began
	moved    bool
	searched bool            // the total took more than counters and lookups
	tallies  []counter.Tally // the counters of kinds; nil before they are read

	left  int     // bytes left on the page
	bytes int     // of the stored documents that were read for the page
	rows  []found // in reading order: of the page, and one more if there are more
	total int
	more  bool // there are results after rows

	groups   userGroups // of the users among rows
	versions versions   // of the groups of users
}

// lister takes a query apart. Errors are *scim.Error of status 400.
func (d *Service) lister(t row.Tenant, types []*schema.ResourceType, q Query) (*lister, error) {
	l := &lister{d: d, t: t, ts: d.Store.Tenant(t.ID), q: q, types: types, known: -1, left: q.MaxBytes}
	l.versions.start = d.Now()
	if l.left <= 0 {
		l.left = MaxAnswerBytes
	}
	for i, rt := range types {
		k, err := l.kind(i, rt)
		if err != nil {
			return nil, err
		}
		if k != nil {
			l.kinds = append(l.kinds, k)
		}
	}
	var err error
	l.order, err = l.orderBy(q.SortBy)
	l.down = q.Descending && q.SortBy != ""
	for _, k := range l.kinds {
		k.reads = k.reads || k.asks && l.order.attached
	}
	return l, err
}

// kind applies the query to a resource type; nil if no resource of it can match.
func (l *lister) kind(i int, rt *schema.ResourceType) (*kind, error) {
	k := &kind{rt: rt, index: i, sel: l.q.Selection, filter: l.q.Filter}
	if sel, own := l.q.Selections[rt.ID]; own {
		k.sel = sel
	}
	k.attach = k.sel.Wants(rt, lookup.Attached(rt))
	if k.filter == nil {
		return k, nil
	}
	s := plan.Scope{Type: rt, Others: l.types, BareNames: l.t.Dialect.BareExtensionNames}
	if name := plan.Nowhere(k.filter, l.types); name != "" && len(l.types) > 1 {
		return nil,
			scim.BadRequest(scim.InvalidFilter, "The filter names %q, which is not an attribute of any resource type.",
				row.Short(name))
	}
	e, truth := s.Simplify(k.filter)
	var err error
	if k.matches, err = filter.Bind(s.Known(k.filter), rt, l.t.Dialect); err != nil {
		return nil, err
	}
	switch truth {
	case plan.Always:
		k.filter = nil
		return k, nil
	case plan.Never:
		return nil, nil
	}
	k.filter = e
	n, rest := lookup.NewPlanner(l.d.Members, l.t, l.ts, rt).Plan(e)
	k.narrow, k.exact = n, rest == nil
	k.asks = plan.Mentions(e, rt, lookup.Attached(rt))
	k.reads = k.asks && (rest != nil && plan.Mentions(rest, rt, lookup.Attached(rt)))
	k.mixed = plan.Mixed(e, rt, lookup.Attached(rt))
	return k, nil
}

// take takes over the finds of the lookups of k.
func (k *kind) take(found plan.Candidates) {
	k.reads = k.reads || k.asks && (found.Many || found.Loose)
	k.known, k.few = found.Memberships, len(found.IDs) <= store.MaxGetKeys
}

// verdict says whether a resource matches a filter, as far as that is known.
type verdict int

const (
	no     verdict = iota
	unsure         // matches with groups or members that were found of others: it may have changed since
	likely         // matches, if the lookups that decided it and the document are of one moment
	yes
)

// judge tests a resource against the filter with the groups or members that lookups have found.
func (k *kind) judge(id string, doc scim.Object) verdict {
	if k.filter == nil {
		return yes
	}
	had := func(m plan.Membership) bool { _, is := slices.BinarySearch(m.IDs, id); return is }
	if matches, open := k.with(doc, k.found(had)); matches {
		if open || k.asks && k.narrow.Joined {
			return likely
		}
		return yes
	}
	if matches, _ := k.with(doc, k.found(func(plan.Membership) bool { return true })); matches {
		return unsure
	}
	return no
}

// found are the groups or members that the filter asks about and that has holds for, as a document shows them.
func (k *kind) found(has func(plan.Membership) bool) []any {
	var list []any
	for _, m := range k.known {
		if has(m) {
			list = append(list, scim.Object{"value": m.Value})
		}
	}
	return list
}

// among tests a group with these members against the filter. Its document is without members.
func (k *kind) among(t row.Tenant, doc scim.Object, members []membership.Member) (matches, open bool) {
	if k.reads {
		return k.with(doc, membership.Objects(t, members))
	}
	return k.with(doc, k.found(func(known plan.Membership) bool {
		return slices.ContainsFunc(members, func(m membership.Member) bool { return m.Value == known.Value })
	}))
}

// with tests a document against the filter with these groups or members.
func (k *kind) with(doc scim.Object, list []any) (matches, open bool) {
	name := lookup.Attached(k.rt)
	if len(list) > 0 {
		doc[name] = list
	}
	matches, open = k.weigh(doc)
	delete(doc, name)
	return matches, open
}
