package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/directory/cursor"
	"github.com/serverless-scim/serverless-scim/pkg/directory/plan"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/directory/simplify"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// List answers a query (RFC 7644, section 3.4.2, and RFC 9865). Without SortBy, results are in order of id, which no
// change moves.
func (d *Directory) List(ctx context.Context, t Tenant, rt *schema.ResourceType, q ListQuery) (List, error) {
	return d.Search(ctx, t, []*schema.ResourceType{rt}, q)
}

// Search answers a query across several resource types (RFC 7644, section 3.4.2.1): for one type it is List. Without
// SortBy, all resources of a type stand together. An attribute that only some of the types have is one without a value
// for the others.
func (d *Directory) Search(ctx context.Context, t Tenant, types []*schema.ResourceType, q ListQuery) (List, error) {
	if len(types) == 1 && row.IsMembership(types[0]) {
		return d.listMemberships(ctx, t, types[0], q)
	}
	l, err := d.lister(t, types, q)
	if err != nil {
		return List{}, err
	}
	l.log(ctx)
	if err := l.start(ctx); err != nil {
		return List{}, err
	}
	if err := l.read(ctx); err != nil {
		return List{}, err
	}
	return l.finish(ctx)
}

// kind is a resource type that a query reads, and what the query means for it.
type kind struct {
	rt      *schema.ResourceType
	sel     *schema.Projection
	index   int         // among the types of the query
	attach  bool        // groups or members are part of the answer
	filter  filter.Expr // nil: all match
	matches *filter.Matcher
	narrow  *plan.Narrowing // nil: the filter is not narrow
	rest    *condition      // what candidates of narrow are still held against
	sort    schema.Ref      // the attribute to sort by; none: no value
}

// condition is a filter, bound.
type condition struct {
	matches  *filter.Matcher // nil: nothing to hold against
	attached bool            // it asks about groups or members
}

// attached is the attribute that is not part of the stored document; "" where there is none.
func attached(rt *schema.ResourceType) string {
	switch {
	case row.IsGroup(rt):
		return "members"
	case row.IsUser(rt):
		return "groups"
	}
	return ""
}

// lister makes one page.
type lister struct {
	d     *Directory
	t     Tenant
	ts    *store.TenantStore
	q     ListQuery
	types []*schema.ResourceType
	kinds []*kind // those that can have results

	order order
	down  bool // reads from the highest place down
	back  bool // reads towards the beginning, for a previousCursor
	// forward says that there are no previous cursors.
	forward bool
	from    *cursor.Place // reads what is behind it; nil reads from the beginning
	skip    int           // passes over so many results first
	known   int           // the total, as found when the walk began; -1 where it has to be counted

	// from is where the page before ended, and something was created or deleted since the walk began
	moved    bool
	searched bool            // the total took more than counters and lookups
	tallies  []counter.Tally // the counters of kinds; nil before they are read

	left  int     // bytes left on the page
	bytes int     // of the stored documents that were read for the page
	rows  []found // in reading order: of the page, and one more where there are more
	total int
	more  bool // there are results behind rows

	groups map[string][]string // of the users among rows, by id; nil before they are read
}

// lister takes a query apart. Errors are *scim.Error of status 400.
func (d *Directory) lister(t Tenant, types []*schema.ResourceType, q ListQuery) (*lister, error) {
	l := &lister{d: d, t: t, ts: d.store.Tenant(t.ID), q: q, types: types, known: -1, left: q.MaxBytes}
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
	return l, err
}

// kind finds out what the query means for a resource type; nil if nothing of it can match.
func (l *lister) kind(i int, rt *schema.ResourceType) (*kind, error) {
	k := &kind{rt: rt, index: i, sel: l.q.Selection, filter: l.q.Filter}
	if sel, own := l.q.Selections[rt.ID]; own {
		k.sel = sel
	}
	k.attach = k.sel.Wants(rt, attached(rt))
	if k.filter == nil {
		return k, nil
	}
	s := simplify.Scope{Type: rt, Others: l.types, BareNames: l.t.Dialect.BareExtensionNames}
	if name := simplify.Nowhere(k.filter, l.types); name != "" && len(l.types) > 1 {
		return nil,
			scim.BadRequest(scim.InvalidFilter, "The filter names %q, which is no attribute of any resource type.",
				row.Short(name))
	}
	e, truth := s.Simplify(k.filter)
	if _, err := filter.Bind(s.Known(k.filter), rt, l.t.Dialect); err != nil {
		return nil, err
	}
	switch truth {
	case simplify.Always:
		k.filter = nil
		return k, nil
	case simplify.Never:
		return nil, nil
	}
	k.filter = e
	whole, err := l.bind(rt, e)
	if err != nil {
		return nil, err
	}
	k.matches = whole.matches
	n, rest := l.d.planner(l.t, l.ts, rt).Plan(e)
	k.narrow = n
	k.rest, err = l.bind(rt, rest)
	return k, err
}

func (l *lister) bind(rt *schema.ResourceType, e filter.Expr) (*condition, error) {
	if e == nil {
		return &condition{}, nil
	}
	m, err := filter.Bind(e, rt, l.t.Dialect)
	return &condition{matches: m, attached: simplify.Mentions(e, rt, attached(rt))}, err
}
