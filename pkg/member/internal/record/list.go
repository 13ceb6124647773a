package record

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// List is a page of members, in order of id.
type List struct {
	Members []Member
	// Next is the id to go on after; "": there are no more. A page may be shorter than asked for and have a Next.
	Next string
	// Pending is the number of marked members that were not published before the page was read, as far as is
	// known.
	Pending int
}

// looked is the number of members that one page reads if no index narrows the filter.
const looked = 2000

// atOnce bounds the members that one call reads if no index narrows the filter.
const atOnce = 500

var dialect = scim.Dialect{}

// memberType is a member as filters see it.
var memberType = sync.OnceValue(func() *schema.ResourceType {
	text := func(name string, exact bool) *schema.Attribute {
		return &schema.Attribute{
			Name: name, Type: schema.String, CaseExact: exact, Mutability: schema.ReadOnly, Returned: schema.Default,
		}
	}
	complex := func(name string, several bool, subs ...*schema.Attribute) *schema.Attribute {
		return &schema.Attribute{
			Name: name, Type: schema.Complex, MultiValued: several, SubAttributes: subs,
			Mutability: schema.ReadOnly, Returned: schema.Default,
		}
	}
	return &schema.ResourceType{
		ID: "Member", Name: "Member", Endpoint: "/members",
		Core: schema.Define(
			&schema.Schema{ID: "urn:serverless-scim:Member", Name: "Member", Attributes: []*schema.Attribute{
				text(
					"id",
					true,
				), text("status", true), text("userName", false), text("externalId", true), text("loginAddress", false),
				text("email", false),
				text("displayName", false), text("accountId", true), text("previousId", true),
				complex("manager", false, text("id", true), text("value", true), text("displayName", false)),
				complex("invitation", false, text("state", true)),
				complex(
					"assignments",
					true,
					text("kind", true),
					text("target", true),
					text("organisation", true),
					text("origin", true),
				),
			}},
		),
	}
})

// Filter is a filter on members: the lookup that narrows it, and the test that decides.
type Filter struct {
	// Now is when members are forgotten; zero: never.
	Now time.Time
	// Also is one more condition; nil: none.
	Also func(Member) bool

	matches *filter.Matcher // nil: all
	removed bool            // members who were removed count as well
	indexed bool

	attribute, value string
}

// By is the filter of the members who are found by a value of an indexed attribute.
func By(attribute, value string) Filter {
	return Filter{attribute: attribute, value: value, indexed: true}
}

// Parse sets the filter from a text as clients write it; the error is a *scim.Error 400 if the text is not valid.
func (l *Filter) Parse(text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	e, err := filter.Parse(text, dialect)
	if err != nil {
		return err
	}
	if l.matches, err = filter.Bind(e, memberType(), dialect); err != nil {
		return err
	}
	l.removed = mentions(e, "status")
	l.narrow(e)
	return nil
}

// mentions reports whether a filter names an attribute.
func mentions(e filter.Expr, name string) bool {
	switch e := e.(type) {
	case filter.And:
		return mentions(e.L, name) || mentions(e.R, name)
	case filter.Or:
		return mentions(e.L, name) || mentions(e.R, name)
	case filter.Not:
		return mentions(e.X, name)
	case filter.Compare:
		return strings.EqualFold(e.Path.Name, name)
	}
	return false
}

// narrow takes the indexed comparison among the parts of a conjunction that finds the fewest.
func (l *Filter) narrow(e filter.Expr) {
	switch e := e.(type) {
	case filter.And:
		l.narrow(e.L)
		l.narrow(e.R)
	case filter.Compare:
		if e.Op == filter.Eq && e.Value.Kind == filter.Str && e.Path.Filter == nil {
			l.use(e.Path.Name, e.Value.Str)
		}
	case filter.Match:
		pairs, _ := filter.EqualPairs(e.Path.Filter)
		kind, target := pairs["kind"], pairs["target"]
		if strings.EqualFold(e.Path.Name, "assignments") && kind.Kind == filter.Str && target.Kind == filter.Str {
			l.set(ByAssignment, AssignmentValue(mapping.TargetKey{Kind: kind.Str, Name: target.Str}))
		}
	}
}

func (l *Filter) use(name, value string) {
	for indexed, folded := range map[string]bool{
		ByStatus: false, ByUserName: true, ByExternalID: false, byLoginAddress: true, ByEmail: true, byAccountID: false,
	} {
		if strings.EqualFold(name, indexed) {
			if folded {
				value = scim.Fold(value)
			}
			l.set(indexed, value)
		}
	}
}

// Otherwise has an index narrow the filter if none does so far.
func (l *Filter) Otherwise(attribute, value string) {
	if !l.indexed {
		l.set(attribute, value)
	}
}

// finds ranks indexes by how many members one value finds: one, several, those with a target, a part of all.
var finds = map[string]int{
	ByUserName: 1, ByExternalID: 1, byAccountID: 1, byLoginAddress: 2, ByEmail: 2, ByAssignment: 3, ByStatus: 4,
}

func (l *Filter) set(attribute, value string) {
	if !l.indexed || finds[attribute] < finds[l.attribute] {
		l.indexed, l.attribute, l.value = true, attribute, value
	}
}

// Walk adds a page of up to count members, after an id, to out.
func (l *Filter) Walk(ctx context.Context, ts *store.TenantStore, after string, count int, out *List) error {
	// A filter that no index narrows leaves most members out: each step is larger than the one before.
	for seen, step := 0, count+1; len(out.Members) < count && seen < looked; step *= 2 {
		items, more, err := l.candidates(ctx, ts, after, step)
		if err != nil {
			return err
		}
		for i, item := range items {
			seen++
			after = store.LastPart(item.SK)
			if item.Attrs == nil {
				continue
			}
			m, err := DecodeItem(item)
			if err != nil {
				return err
			}
			if !l.takes(m) {
				continue
			}
			if out.Members = append(out.Members, m); len(out.Members) == count {
				if more || i+1 < len(items) {
					out.Next = after
				}
				return nil
			}
		}
		if !more {
			return nil
		}
	}
	if count > 0 {
		out.Next = after
	}
	return nil
}

func (l *Filter) takes(m Member) bool {
	if m.Status == Removed && !l.removed || m.Forgotten(l.Now) {
		return false
	}
	return (l.Also == nil || l.Also(m)) && (l.matches == nil || l.matches.Match(m.Object()))
}

// candidates reads the next members: those that the index names if there is one, else all.
func (l *Filter) candidates(
	ctx context.Context, ts *store.TenantStore, after string, limit int,
) ([]store.Item, bool, error) {
	if !l.indexed {
		limit = min(limit, atOnce)
		page, err := ts.Query(ctx, store.Query{PK: ts.Published("").PK, After: after, Limit: limit})
		return page.Items, page.More, err
	}
	prefix := ts.PublishedPrefix(l.attribute, l.value)
	q := store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: min(limit, store.MaxGetKeys), Select: store.KeysOnly}
	if after != "" {
		q.After = ts.PublishedLookup(l.attribute, l.value, after).SK
	}
	page, err := ts.Query(ctx, q)
	if err != nil {
		return nil, false, err
	}
	keys := make([]store.Key, len(page.Items))
	for i, item := range page.Items {
		keys[i] = ts.Published(store.LastPart(item.SK))
	}
	items, err := ts.Get(ctx, keys...)
	return items, page.More, err
}

// Holders is the filter of the members who have a target.
func Holders(key mapping.TargetKey) Filter {
	l := By(ByAssignment, AssignmentValue(key))
	l.Also = func(m Member) bool { return Find(m.Assignments, key) >= 0 }
	return l
}
