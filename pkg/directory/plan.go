package directory

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A planner narrows a filter to the ids of the resources that can match, by lookup items alone: of an `and`, what both sides
// allow; of an `or`, the union where both sides are narrow. What it can't narrow is read whole. Every candidate is still held
// against the whole filter.
type planner struct {
	d      *Directory
	ts     *store.TenantStore
	rt     *schema.ResourceType
	extra  bool // bare names of extension attributes are understood
	lookup map[string]lookup
}

// lookup finds the ids of the resources whose attribute has a value. hint is the e-mail type asked for beside it, or "".
type lookup func(ctx context.Context, value, hint string) ([]string, error)

// maxCandidates bounds what a lookup may name; beyond it the filter is not narrow.
const maxCandidates = 20000

func (d *Directory) planner(t Tenant, ts *store.TenantStore, rt *schema.ResourceType) *planner {
	p := &planner{d: d, ts: ts, rt: rt, extra: t.Dialect.BareExtensionNames}
	if isGroup(rt) {
		p.lookup = map[string]lookup{
			"id": p.byID, "displayName": p.byGroupName, "externalId": p.byExternalID, "members": p.byMember, "members.value": p.byMember,
		}
	} else {
		p.lookup = map[string]lookup{
			"id": p.byID, "userName": p.byUserName, "externalId": p.byExternalID, "emails": p.byEmail, "emails.value": p.byEmail,
			"manager": p.byManager, "manager.value": p.byManager, "groups": p.byGroup, "groups.value": p.byGroup,
		}
	}
	return p
}

// candidates returns the sorted ids that can match, or ok false where the filter is not narrow.
func (p *planner) candidates(ctx context.Context, e filter.Expr) (ids []string, ok bool, err error) {
	switch e := e.(type) {
	case filter.And:
		l, r, lok, rok, err := p.both(ctx, e.L, e.R)
		switch {
		case err != nil || !lok && !rok:
			return nil, false, err
		case !lok:
			return r, true, nil
		case !rok:
			return l, true, nil
		}
		return slices.DeleteFunc(l, func(id string) bool { _, found := slices.BinarySearch(r, id); return !found }), true, nil
	case filter.Or:
		l, r, lok, rok, err := p.both(ctx, e.L, e.R)
		if err != nil || !lok || !rok {
			return nil, false, err
		}
		all := append(l, r...)
		slices.Sort(all)
		return slices.Compact(all), true, nil
	case filter.Compare:
		return p.compare(ctx, e)
	case filter.Match:
		return p.match(ctx, e.Path.Name, e.Path.Filter)
	}
	return nil, false, nil
}

func (p *planner) both(ctx context.Context, left, right filter.Expr) (l, r []string, lok, rok bool, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { l, lok, err = p.candidates(ctx, left); return err })
	g.Go(func() (err error) { r, rok, err = p.candidates(ctx, right); return err })
	err = g.Wait()
	return l, r, lok, rok, err
}

// name returns what an attribute name stands for, as "attribute" or "attribute.sub".
func (p *planner) name(written string) string {
	ref, ok := p.rt.Lookup(written, p.extra)
	if !ok || ref.Attr == nil {
		return ""
	}
	if ref.Sub == nil {
		return ref.Attr.Name
	}
	return ref.Attr.Name + "." + ref.Sub.Name
}

func (p *planner) compare(ctx context.Context, c filter.Compare) ([]string, bool, error) {
	if c.Value.Kind != filter.Str {
		return nil, false, nil
	}
	name := p.name(c.Path.Name)
	hint := ""
	if c.Path.Filter != nil {
		name += "." + c.Path.Sub
		if pairs, pure := filter.EqualPairs(c.Path.Filter); pure && len(pairs) == 1 {
			hint = typeHint(pairs)
		}
		name = canonicalCase(name, p.lookup)
	}
	switch {
	case c.Op == filter.Eq && p.lookup[name] != nil:
		return p.run(ctx, p.lookup[name], c.Value.Str, hint)
	case c.Op == filter.Sw && name == "userName" && c.Value.Str != "":
		return p.startsWith(ctx, p.ts.UserName(scim.Fold(c.Value.Str)))
	case c.Op == filter.Sw && name == "displayName" && isGroup(p.rt) && c.Value.Str != "":
		prefix := p.ts.GroupNamePrefix(scim.Fold(c.Value.Str))
		prefix.SK = strings.TrimSuffix(prefix.SK, store.Sep)
		return p.startsWith(ctx, prefix)
	}
	return nil, false, nil
}

// match narrows `emails[type eq "work" and value eq "x"]` and its like by the value.
func (p *planner) match(ctx context.Context, attribute string, inner filter.Expr) ([]string, bool, error) {
	pairs, pure := filter.EqualPairs(inner)
	if !pure {
		return nil, false, nil
	}
	for sub, v := range pairs {
		if find := p.lookup[p.name(attribute)]; find != nil && strings.EqualFold(sub, "value") && v.Kind == filter.Str {
			return p.run(ctx, find, v.Str, typeHint(pairs))
		}
	}
	return nil, false, nil
}

func typeHint(pairs map[string]filter.Value) string {
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

func (p *planner) run(ctx context.Context, find lookup, value, hint string) ([]string, bool, error) {
	if len(value) > store.MaxSKBytes/2 {
		return nil, true, nil // no stored value is that long
	}
	ids, err := find(ctx, value, hint)
	if err != nil || len(ids) > maxCandidates {
		return nil, false, err
	}
	slices.Sort(ids)
	return slices.Compact(ids), true, nil
}

func (p *planner) byID(_ context.Context, value, _ string) ([]string, error) {
	if !validID(value) {
		return nil, nil
	}
	return []string{value}, nil
}

func (p *planner) byUserName(ctx context.Context, value, _ string) ([]string, error) {
	if value == "" {
		return nil, nil
	}
	items, err := p.ts.Get(ctx, p.ts.UserName(scim.Fold(value)))
	if err != nil {
		return nil, err
	}
	if id, ok := items[0].Attrs["id"].(string); ok {
		return []string{id}, nil
	}
	return nil, nil
}

func (p *planner) byExternalID(ctx context.Context, value, _ string) ([]string, error) {
	if isGroup(p.rt) {
		return p.keys(ctx, p.ts.LookupPrefix(groupExternalID, value))
	}
	return p.keys(ctx, p.ts.LookupPrefix(userExternalID, value))
}

func (p *planner) byManager(ctx context.Context, value, _ string) ([]string, error) {
	return p.keys(ctx, p.ts.LookupPrefix(userManager, value))
}

func (p *planner) byGroupName(ctx context.Context, value, _ string) ([]string, error) {
	return p.keys(ctx, p.ts.GroupNamePrefix(scim.Fold(value)))
}

func (p *planner) byEmail(ctx context.Context, value, hint string) ([]string, error) {
	var ids []string
	prefix := p.ts.LookupPrefix(userEmail, scim.Fold(value))
	for it, err := range p.ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return nil, err
		}
		types, _ := it.Attrs["types"].(string)
		if hint == "" || slices.Contains(strings.Split(types, store.Sep), hint) {
			ids = append(ids, lastPart(it.SK))
		}
	}
	return ids, nil
}

// byGroup finds the users that are members of a group.
func (p *planner) byGroup(ctx context.Context, value, _ string) ([]string, error) {
	o, err := p.d.overlay(ctx, p.ts)
	if err != nil {
		return nil, err
	}
	changes, err := o.changesOf(ctx, p.ts, value)
	if err != nil {
		return nil, err
	}
	ids, err := p.keys(ctx, p.ts.MemberPrefix(value))
	for _, c := range changes {
		if c.add {
			ids = append(ids, c.value)
		}
	}
	return ids, err
}

// byMember finds the groups that somebody is a member of, also somebody who does not exist yet.
func (p *planner) byMember(ctx context.Context, value, _ string) ([]string, error) {
	groups, err := p.d.groupsOf(ctx, p.ts, value)
	if err != nil {
		return nil, err
	}
	prefix := p.ts.WaitingPrefix(scim.Fold(value))
	for it, err := range p.ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if err != nil {
			return nil, err
		}
		if parts := store.Split(it.SK); len(parts) == 4 && parts[1] == "M" && parts[3] == value {
			groups = append(groups, parts[2])
		}
	}
	return groups, nil
}

// keys returns the last parts of all sort keys with a prefix, up to one more than maxCandidates.
func (p *planner) keys(ctx context.Context, prefix store.Key) ([]string, error) {
	var ids []string
	for it, err := range p.ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if err != nil {
			return nil, err
		}
		if ids = append(ids, lastPart(it.SK)); len(ids) > maxCandidates {
			break
		}
	}
	return ids, nil
}

// startsWith finds the resources whose name begins with the prefix.
func (p *planner) startsWith(ctx context.Context, prefix store.Key) ([]string, bool, error) {
	if isGroup(p.rt) {
		ids, err := p.keys(ctx, prefix)
		slices.Sort(ids)
		return ids, err == nil && len(ids) <= maxCandidates, err
	}
	var ids []string
	for it, err := range p.ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return nil, false, err
		}
		id, _ := it.Attrs["id"].(string)
		if ids = append(ids, id); len(ids) > maxCandidates {
			return nil, false, nil
		}
	}
	slices.Sort(ids)
	return ids, true, nil
}
