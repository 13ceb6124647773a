package lookup

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// among is what finds the memberships of some; nil where find is no lookup of memberships.
func (p *Planner) among(name, value string) plan.Among {
	switch {
	case row.IsUser(p.Type) && (name == "groups" || name == "groups.value"):
		return func(ctx context.Context, ids []string) ([]string, error) { return p.membersAmong(ctx, value, ids) }
	case row.IsGroup(p.Type) && (name == "members" || name == "members.value"):
		return func(ctx context.Context, ids []string) ([]string, error) { return p.groupsAmong(ctx, value, ids) }
	}
	return nil
}

// membersAmong keeps the users that are members of a group: none where it was deleted. See byGroup.
func (p *Planner) membersAmong(ctx context.Context, group string, users []string) (kept []string, err error) {
	if !row.ValidID(group) || len(users) == 0 {
		return nil, nil
	}
	keys := []store.Key{p.ts.Group(group)}
	for _, id := range users {
		keys = append(keys, p.ts.Member(group, id))
	}
	_, err = p.members.Behind(ctx, p.ts, group, func(ctx context.Context, o membership.Overlay) error {
		kept = nil
		changes, err := o.ChangesOf(ctx, p.ts, group)
		if err != nil {
			return err
		}
		items, err := p.ts.Get(ctx, keys...)
		if err != nil || items[0].Attrs == nil {
			return err
		}
		for i, id := range users {
			c, open := changes[id]
			if open && c.Add || !open && items[i+1].Attrs != nil {
				kept = append(kept, id)
			}
		}
		return nil
	})
	return kept, err
}

// groupsAmong keeps the groups that somebody is a member of, also somebody who does not exist yet; none for who was
// deleted. See byMember.
func (p *Planner) groupsAmong(ctx context.Context, value string, groups []string) (kept []string, err error) {
	if value == "" || membership.TooLong(value) || len(groups) == 0 {
		return nil, nil
	}
	keys := make([]store.Key, len(groups))
	for i, id := range groups {
		keys[i] = p.ts.Member(id, value)
	}
	err = p.members.Beside(ctx, p.ts, func(ctx context.Context, o membership.Overlay) error {
		kept = nil
		changed, err := o.ChangeFor(ctx, p.ts, value)
		if err != nil {
			return err
		}
		items, err := p.ts.Get(ctx, keys...)
		if err != nil {
			return err
		}
		for i, id := range groups {
			c, open := changed[id]
			add := c.Add
			if !open {
				add = items[i].Attrs != nil && !o.IsGone(membership.StoredMember(value, items[i]))
			}
			if add && !(open && o.Gone[value]) {
				kept = append(kept, id)
			}
		}
		return nil
	})
	return kept, err
}
