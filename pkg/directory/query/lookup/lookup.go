package lookup

import (
	"context"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

func (p *Planner) byID(_ context.Context, value, _ string) ([]string, error) {
	if !row.ValidID(value) {
		return nil, nil
	}
	return []string{value}, nil
}

func (p *Planner) byUserName(ctx context.Context, value, _ string) ([]string, error) {
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

func (p *Planner) byExternalID(ctx context.Context, value, _ string) ([]string, error) {
	return p.keys(ctx, p.ts.LookupPrefix(row.ExternalID(p.Type), value))
}

func (p *Planner) byManager(ctx context.Context, value, _ string) ([]string, error) {
	return p.keys(ctx, p.ts.LookupPrefix(row.UserManager, value))
}

func (p *Planner) byGroupName(ctx context.Context, value, _ string) ([]string, error) {
	return p.keys(ctx, p.ts.GroupNamePrefix(scim.Fold(value)))
}

func (p *Planner) byEmail(ctx context.Context, value, hint string) ([]string, error) {
	var ids []string
	prefix := p.ts.LookupPrefix(row.UserEmail, scim.Fold(value))
	for it, err := range p.ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return nil, err
		}
		types, _ := it.Attrs["types"].(string)
		if hint == "" || slices.Contains(strings.Split(types, store.Sep), hint) {
			if ids = append(ids, store.LastPart(it.SK)); len(ids) > plan.MaxCandidates {
				break
			}
		}
	}
	return ids, nil
}

// byGroup finds the users that are members of a group: none if the group was deleted.
func (p *Planner) byGroup(ctx context.Context, value, _ string) (ids []string, err error) {
	if !row.ValidID(value) {
		return nil, nil
	}
	exists := false
	g, gctx := task.WithContext(ctx)
	g.Go(func() error {
		items, err := p.ts.Get(gctx, p.ts.Group(value))
		exists = err == nil && items[0].Attrs != nil
		return err
	})
	g.Go(func() error {
		_, err := p.members.Behind(gctx, p.ts, value, func(ctx context.Context, o membership.Overlay) (err error) {
			changes, err := o.ChangesOf(ctx, p.ts, value)
			if err != nil {
				return err
			}
			ids, err = p.keys(ctx, p.ts.MemberPrefix(value))
			ids = slices.DeleteFunc(ids, func(id string) bool { c, open := changes[id]; return open && !c.Add })
			for _, c := range changes {
				if c.Add {
					ids = append(ids, c.Value)
				}
			}
			return err
		})
		return err
	})
	if err := g.Wait(); err != nil || !exists {
		return nil, err
	}
	return ids, nil
}

// byMember finds the groups that somebody is a member of, also somebody who does not exist yet; none for who was
// deleted.
func (p *Planner) byMember(ctx context.Context, value, _ string) ([]string, error) {
	groups, _, err := p.MemberIn(ctx, value)
	return groups, err
}

// MemberIn finds the same groups, and returns beside them the member's changes in open work, by group.
func (p *Planner) MemberIn(ctx context.Context, value string) (
	groups []string, changed map[string]membership.Change, err error,
) {
	var waiting []string
	var gone map[string]bool
	g, gctx := task.WithContext(ctx)
	g.Go(func() error {
		return p.members.Beside(gctx, p.ts, func(ctx context.Context, o membership.Overlay) (err error) {
			if groups, changed, gone = nil, nil, o.Gone; o.Gone[value] {
				return nil
			}
			if changed, err = o.ChangeFor(ctx, p.ts, value); err != nil {
				return err
			}
			groups, _, err = o.GroupsOf(ctx, p.ts, value)
			return err
		})
	})
	g.Go(func() error {
		prefix := p.ts.WaitingPrefix(scim.Fold(value))
		for it, err := range p.ts.All(gctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
			if err != nil {
				return err
			}
			if parts := store.Split(it.SK); len(parts) == 4 && parts[1] == "M" && parts[3] == value {
				waiting = append(waiting, parts[2])
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	waiting = slices.DeleteFunc(waiting, func(id string) bool { c, open := changed[id]; return open && !c.Add })
	for _, c := range changed {
		if !c.Add {
			continue
		}
		if there, err := membership.StillThere(ctx, p.ts, map[string]membership.Change{value: c}); err != nil ||
			len(there) == 0 {
			return nil, nil, err
		}
		break
	}
	groups = slices.DeleteFunc(append(groups, waiting...), func(id string) bool { return gone[id] })
	return groups, changed, nil
}

// keys returns the last parts of all sort keys with a prefix. It ends soon after the first plan.MaxCandidates.
func (p *Planner) keys(ctx context.Context, prefix store.Key) ([]string, error) {
	ids, _, err := p.under(ctx, prefix)
	return ids, err
}

// under returns the same, and how many pages of the engine it took.
func (p *Planner) under(ctx context.Context, prefix store.Key) ([]string, int, error) {
	q := store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}
	return p.each(ctx, q, func(it store.Item) string { return store.LastPart(it.SK) })
}

// named returns the ids of the users whose name begins with a prefix, and how many pages of the engine it took. It ends
// soon after the first plan.MaxCandidates.
func (p *Planner) named(ctx context.Context, prefix store.Key) ([]string, int, error) {
	return p.each(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}, func(it store.Item) string {
		id, _ := it.Attrs["id"].(string)
		return id
	})
}

func (p *Planner) each(ctx context.Context, q store.Query, id func(store.Item) string) (
	ids []string, pages int, err error,
) {
	for page, err := range p.ts.Pages(ctx, q) {
		if err != nil {
			return nil, 0, err
		}
		pages++
		for _, it := range page.Items {
			ids = append(ids, id(it))
		}
		if len(ids) > plan.MaxCandidates {
			break
		}
	}
	return ids, pages, nil
}

// byUnique finds the resource with a value of a unique attribute.
func (p *Planner) byUnique(ref schema.Ref) plan.Lookup {
	return func(ctx context.Context, value, _ string) ([]string, error) {
		v, ok := p.Type.UniqueKey(ref, value)
		if !ok {
			return nil, nil
		}
		items, err := p.ts.Get(ctx, p.ts.Unique(p.Type.ID, v.Attribute, v.Value))
		if err != nil {
			return nil, err
		}
		if id, ok := items[0].Attrs["id"].(string); ok {
			return []string{id}, nil
		}
		return nil, nil
	}
}
