package member

import (
	"context"
	"errors"
	"maps"
	"slices"
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
	// Next is the id to go on behind; "": there are no more. A page may be shorter than asked for and have a Next.
	Next string
	// Pending is how many marked members were not published before the page was read, as far as is known.
	Pending int
}

// looked is how many members one page looks at if no index narrows the filter.
const looked = 2000

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
			Name: name, Type: schema.Complex, MultiValued: several, Mutability: schema.ReadOnly, Returned: schema.Default,
			SubAttributes: subs,
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

// List answers a page of members that pass a filter, behind an id. Members that were removed are left out unless the
// filter names the status. The error is a *scim.Error 400 if the filter is none.
func (s *Service) List(ctx context.Context, t Tenant, text, after string, count int) (List, error) {
	l := lister{now: s.o.Now()}
	if err := l.parse(text); err != nil {
		return List{}, err
	}
	ts := s.store.Tenant(t.ID)
	var out List
	if err := l.walk(ctx, ts, after, count, &out); err != nil {
		return List{}, err
	}
	return out, s.join(ctx, t, out.Members)
}

// join adds the names under which targets, groups and managers are shown now.
func (s *Service) join(ctx context.Context, t Tenant, members []Member) error {
	ts := s.store.Tenant(t.ID)
	wanted, groups, managers := map[mapping.TargetKey]bool{}, map[string]string{}, map[string]string{}
	for _, m := range members {
		for _, a := range m.Assignments {
			if wanted[a.TargetKey] = true; a.Kind == mapping.KindGroup {
				groups[a.Name] = ""
			}
		}
		if m.Manager != nil && m.Manager.ID != "" {
			managers[m.Manager.ID] = ""
		}
	}
	targets, err := targetsOf(ctx, ts, wanted)
	if err != nil {
		return err
	}
	if err := s.groupNames(ctx, t, groups); err != nil {
		return err
	}
	if err := s.managerNames(ctx, t, managers); err != nil {
		return err
	}
	for _, m := range members {
		for i := range m.Assignments {
			a := &m.Assignments[i]
			if a.DisplayName = targets[a.TargetKey].DisplayName; a.DisplayName == "" && a.Kind == mapping.KindGroup {
				a.DisplayName = groups[a.Name]
			}
		}
		if m.Manager != nil {
			m.Manager.DisplayName = managers[m.Manager.ID]
		}
	}
	return nil
}

// groupNames fills in the displayNames of groups by their ids.
func (s *Service) groupNames(ctx context.Context, t Tenant, names map[string]string) error {
	if len(names) == 0 {
		return nil
	}
	groups, err := s.o.Directory.GroupsOf(ctx, t.ID, slices.Sorted(maps.Keys(names)))
	for _, g := range groups {
		names[g.ID], _ = g.Doc["displayName"].(string)
	}
	return err
}

// managerNames fills in the displayNames of managers by their ids, as they were published; of those who were not
// published yet, as their users have them.
func (s *Service) managerNames(ctx context.Context, t Tenant, names map[string]string) error {
	if err := memberNames(ctx, s.store.Tenant(t.ID), names); err != nil {
		return err
	}
	var unknown []string
	for id, name := range names {
		if name == "" {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	people, err := s.o.Directory.People(ctx, t.ID, unknown)
	for _, person := range people {
		names[person.ID], _ = person.Doc["displayName"].(string)
	}
	return err
}

// memberNames fills in the displayNames of members by their ids, as they were published.
func memberNames(ctx context.Context, ts *store.TenantStore, names map[string]string) error {
	if len(names) == 0 {
		return nil
	}
	keys := make([]store.Key, 0, len(names))
	for id := range names {
		keys = append(keys, ts.Published(id))
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	for _, item := range items {
		if item.Attrs == nil {
			continue
		}
		m, err := decodeItem(item)
		if err != nil {
			return err
		}
		names[m.ID] = m.DisplayName
	}
	return nil
}

// lister is a filter on members: the lookup that narrows it, and the test that decides.
type lister struct {
	matches *filter.Matcher // nil: all
	removed bool            // members who were removed count as well
	indexed bool
	now     time.Time // when members are forgotten; zero: never

	attribute, value string
	also             func(Member) bool // nil: no more conditions
}

func (l *lister) parse(text string) error {
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

// narrow takes the first indexed comparison among the parts of a conjunction; status only if there is no better.
func (l *lister) narrow(e filter.Expr) {
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
			l.set(byAssignment, assignmentValue(mapping.TargetKey{Kind: kind.Str, Name: target.Str}))
		}
	}
}

func (l *lister) use(name, value string) {
	for indexed, folded := range map[string]bool{
		byStatus: false, byUserName: true, byExternalID: false, byLoginAddress: true, byEmail: true, byAccountID: false,
	} {
		if strings.EqualFold(name, indexed) {
			if folded {
				value = scim.Fold(value)
			}
			l.set(indexed, value)
		}
	}
}

func (l *lister) set(attribute, value string) {
	if !l.indexed || l.attribute == byStatus {
		l.indexed, l.attribute, l.value = true, attribute, value
	}
}

// walk collects a page.
func (l *lister) walk(ctx context.Context, ts *store.TenantStore, after string, count int, out *List) error {
	for seen := 0; len(out.Members) < count && seen < looked; {
		ids, more, err := l.candidates(ctx, ts, after, min(count-len(out.Members)+1, 100))
		if err != nil {
			return err
		}
		keys := make([]store.Key, len(ids))
		for i, id := range ids {
			keys[i] = ts.Published(id)
		}
		items, err := ts.Get(ctx, keys...)
		if err != nil {
			return err
		}
		for i, item := range items {
			seen++
			after = ids[i]
			if item.Attrs == nil {
				continue
			}
			m, err := decodeItem(item)
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

func (l *lister) takes(m Member) bool {
	if m.Status == Removed && !l.removed || m.forgotten(l.now) {
		return false
	}
	return (l.also == nil || l.also(m)) && (l.matches == nil || l.matches.Match(m.Object()))
}

// candidates lists the next ids, from the index if there is one.
func (l *lister) candidates(
	ctx context.Context,
	ts *store.TenantStore,
	after string,
	limit int,
) ([]string, bool, error) {
	q := store.Query{PK: ts.Published("").PK, After: after, Limit: limit, Select: store.KeysOnly}
	if l.indexed {
		prefix := ts.PublishedPrefix(l.attribute, l.value)
		q = store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: limit, Select: store.KeysOnly}
		if after != "" {
			q.After = ts.PublishedLookup(l.attribute, l.value, after).SK
		}
	}
	page, err := ts.Query(ctx, q)
	ids := make([]string, len(page.Items))
	for i, item := range page.Items {
		ids[i] = store.LastPart(item.SK)
	}
	return ids, page.More, err
}

// ErrVersion says that a document has another version than the one that was expected.
var ErrVersion = errors.New("member: another version")
