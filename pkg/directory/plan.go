package directory

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/serverless-scim/serverless-scim/pkg/directory/simplify"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A planner narrows a filter to the ids of the resources that can match, by lookup items alone: of an `and`, what both sides
// allow; of an `or`, the union where both sides are narrow. What it can't narrow is read whole. What a lookup decides for good
// need not be held against the candidates again.
type planner struct {
	d        *Directory
	ts       *store.TenantStore
	rt       *schema.ResourceType
	extra    bool // bare names of extension attributes are understood
	unquoted bool // bare words are strings
	lookups  map[string]lookup
}

// lookup finds the ids of the resources whose attribute has a value. hint is the type asked for beside it, or "".
type lookup func(ctx context.Context, value, hint string) ([]string, error)

// maxCandidates bounds what a lookup may name; beyond it the filter is not narrow.
const maxCandidates = 20000

// narrowing finds the ids of the resources that can match.
type narrowing struct {
	text   string // for the explanation
	point  bool   // one id at most
	exists bool   // every id found is that of a resource
	find   func(context.Context) (candidates, error)
	among  among // of a lookup of memberships: finds them among few
}

// candidates are ids, sorted, each once.
type candidates struct {
	ids []string
	// loose says that a part of the filter did not do its work: the whole filter has to be held against the ids.
	loose bool
	// many says that the ids are too many to go by.
	many bool
}

func (d *Directory) planner(t Tenant, ts *store.TenantStore, rt *schema.ResourceType) *planner {
	p := &planner{d: d, ts: ts, rt: rt, extra: t.Dialect.BareExtensionNames, unquoted: t.Dialect.UnquotedFilterValues}
	switch {
	case isUser(rt):
		p.lookups = map[string]lookup{
			"id": p.byID, "userName": p.byUserName, "externalId": p.byExternalID, "emails": p.byEmail, "emails.value": p.byEmail,
			"manager": p.byManager, "manager.value": p.byManager, "groups": p.byGroup, "groups.value": p.byGroup,
		}
	case isGroup(rt):
		p.lookups = map[string]lookup{
			"id": p.byID, "displayName": p.byGroupName, "externalId": p.byExternalID, "members": p.byMember, "members.value": p.byMember,
		}
	default:
		p.lookups = map[string]lookup{"id": p.byID, "externalId": p.byExternalID}
	}
	for _, ref := range rt.UniqueAttributes() {
		p.lookups[nameOf(ref)] = p.byUnique(ref)
	}
	return p
}

// plan returns what narrows the filter, nil if nothing does, and what is left to be held against each candidate, nil if nothing is.
func (p *planner) plan(e filter.Expr) (*narrowing, filter.Expr) {
	switch e := e.(type) {
	case filter.And:
		return p.both(e)
	case filter.Or:
		l, lrest := p.plan(e.L)
		r, rrest := p.plan(e.R)
		if l == nil || r == nil {
			return nil, e
		}
		if lrest == nil && rrest == nil {
			return union(l, r), nil
		}
		return union(l, r), e
	case filter.Compare:
		return p.compare(e)
	case filter.Match:
		return p.match(e)
	}
	return nil, e
}

func (p *planner) both(e filter.And) (*narrowing, filter.Expr) {
	l, lrest := p.plan(e.L)
	r, rrest := p.plan(e.R)
	switch {
	case l == nil && r == nil:
		return nil, e
	case l == nil:
		return r, and(e.L, rrest)
	case r == nil:
		return l, and(lrest, e.R)
	case l.point && !simplify.Mentions(e.R, p.rt, attached(p.rt)): // one candidate: nothing to gain from a second lookup
		return l, and(lrest, e.R)
	case r.point && !simplify.Mentions(e.L, p.rt, attached(p.rt)):
		return r, and(e.L, rrest)
	}
	return intersection(l, r), and(lrest, rrest)
}

func and(l, r filter.Expr) filter.Expr {
	switch {
	case l == nil:
		return r
	case r == nil:
		return l
	}
	return filter.And{L: l, R: r}
}

func intersection(l, r *narrowing) *narrowing {
	n := &narrowing{text: "(" + l.text + " and " + r.text + ")", point: l.point || r.point, exists: l.exists || r.exists}
	switch {
	case l.among == nil && r.among != nil:
		n.find = memberships(l, r)
	case l.among != nil && r.among == nil:
		n.find = memberships(r, l)
	default:
		n.find = func(ctx context.Context) (candidates, error) {
			a, b, err := parallel(ctx, l, r)
			return a.both(b), err
		}
	}
	return n
}

func union(l, r *narrowing) *narrowing {
	return &narrowing{
		text: "(" + l.text + " or " + r.text + ")", exists: l.exists && r.exists,
		find: func(ctx context.Context) (candidates, error) {
			a, b, err := parallel(ctx, l, r)
			if err != nil || a.many || b.many || len(a.ids)+len(b.ids) > maxCandidates {
				return candidates{many: true}, err
			}
			all := append(a.ids, b.ids...)
			slices.Sort(all)
			return candidates{ids: slices.Compact(all), loose: a.loose || b.loose}, nil
		},
	}
}

func parallel(ctx context.Context, l, r *narrowing) (a, b candidates, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { a, err = l.find(ctx); return err })
	g.Go(func() (err error) { b, err = r.find(ctx); return err })
	err = g.Wait()
	return a, b, err
}

// name returns what an attribute name stands for, as nameOf writes it.
func (p *planner) name(written string) string {
	ref, ok := p.rt.Lookup(written, p.extra)
	if !ok || ref.Attr == nil {
		return ""
	}
	return nameOf(ref)
}

// nameOf names an attribute, with the URN in front where that is an extension's, but for the manager.
func nameOf(ref schema.Ref) string {
	name := ref.Attr.Name
	if ref.Extension != nil && (ref.Extension.ID != scim.EnterpriseUserURN || name != "manager") {
		name = ref.Extension.ID + ":" + name
	}
	if ref.Sub == nil {
		return name
	}
	return name + "." + ref.Sub.Name
}

func (p *planner) compare(c filter.Compare) (*narrowing, filter.Expr) {
	value, ok := p.text(c.Value)
	if !ok {
		return nil, c
	}
	name, hint, exact := p.name(c.Path.Name), "", true
	if c.Path.Filter != nil {
		name = canonicalCase(name+"."+c.Path.Sub, p.lookups)
		hint, exact = typeHint(c.Path.Filter)
	}
	var n *narrowing
	switch find := p.lookups[name]; {
	case c.Op == filter.Eq && find != nil:
		n = p.by(name, value, hint, find)
		exact = exact && (hint == "" || name == "emails.value")
	case c.Op == filter.Sw && c.Path.Filter == nil && value != "":
		n = p.startsWith(name, value)
	}
	if n != nil && exact {
		return n, nil
	}
	return n, c
}

// match narrows `emails[type eq "work" and value eq "x"]` and its like by the value.
func (p *planner) match(m filter.Match) (*narrowing, filter.Expr) {
	pairs, pure := filter.EqualPairs(m.Path.Filter)
	name := p.name(m.Path.Name)
	find := p.lookups[name]
	if !pure || find == nil {
		return nil, m
	}
	for sub, v := range pairs {
		value, ok := p.text(v)
		if !ok || !strings.EqualFold(sub, "value") {
			continue
		}
		hint := hintIn(pairs)
		n := p.by(name, value, hint, find)
		if len(pairs) == 1 || len(pairs) == 2 && hint != "" && name == "emails" {
			return n, nil
		}
		return n, m
	}
	return nil, m
}

// text returns the string that a value of a filter stands for.
func (p *planner) text(v filter.Value) (string, bool) {
	if v.Kind == filter.Str {
		return v.Str, true
	}
	return v.String(), p.unquoted && v.Kind != filter.Null
}

// typeHint returns the type that a value filter asks for; exact where it asks for nothing else.
func typeHint(e filter.Expr) (hint string, exact bool) {
	pairs, pure := filter.EqualPairs(e)
	if !pure {
		return "", false
	}
	hint = hintIn(pairs)
	return hint, len(pairs) == 1 && hint != ""
}

func hintIn(pairs map[string]filter.Value) string {
	for sub, v := range pairs {
		if strings.EqualFold(sub, "type") && v.Kind == filter.Str {
			return scim.Fold(v.Str)
		}
	}
	return ""
}

func canonicalCase(name string, known map[string]lookup) string {
	for k := range known {
		if strings.EqualFold(k, name) {
			return k
		}
	}
	return name
}

// by is the narrowing by one lookup.
func (p *planner) by(name, value, hint string, find lookup) *narrowing {
	among := p.among(name, value)
	return &narrowing{
		text: name + " eq", point: name == "id" || name == "userName", exists: name != "id" && among == nil, among: among,
		find: func(ctx context.Context) (candidates, error) {
			if len(value) > store.MaxSKBytes/2 {
				return candidates{}, nil // no stored value is that long
			}
			return p.found(find(ctx, value, hint))
		},
	}
}

func (p *planner) found(ids []string, err error) (candidates, error) {
	if err != nil || len(ids) > maxCandidates {
		return candidates{many: true}, err
	}
	slices.Sort(ids)
	return candidates{ids: slices.Compact(ids)}, nil
}

// startsWith is the narrowing by the beginning of a value, nil where values are not in order.
func (p *planner) startsWith(name, value string) *narrowing {
	var prefix store.Key
	folded, find := scim.Fold(value), p.keys
	switch group := isGroup(p.rt); {
	case group && name == "displayName":
		prefix = p.ts.GroupNamePrefix(folded)
	case group && name == "externalId":
		prefix = p.ts.LookupPrefix(groupExternalID, value)
	case group:
		return nil
	case name == "externalId":
		prefix = p.ts.LookupPrefix(externalID(p.rt), value)
	case !isUser(p.rt):
		return nil
	case name == "userName":
		prefix, find = p.ts.UserName(folded), p.named
	case name == "emails", name == "emails.value":
		prefix = p.ts.LookupPrefix(userEmail, folded)
	default:
		return nil
	}
	if name != "userName" {
		prefix.SK = strings.TrimSuffix(prefix.SK, store.Sep)
	}
	return &narrowing{
		text: name + " sw", exists: true,
		find: func(ctx context.Context) (candidates, error) {
			if len(value) > store.MaxSKBytes/2 {
				return candidates{}, nil
			}
			return p.found(find(ctx, prefix))
		},
	}
}

func isUser(rt *schema.ResourceType) bool { return rt.ID == schema.UserType().ID }
