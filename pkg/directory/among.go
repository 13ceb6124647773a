package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/plan"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// among is what finds the memberships of some; nil where find is no lookup of memberships.
func (p *planner) among(name, value string) plan.Among {
	switch {
	case isUser(p.Type) && (name == "groups" || name == "groups.value"):
		return func(ctx context.Context, ids []string) ([]string, error) { return p.membersAmong(ctx, value, ids) }
	case isGroup(p.Type) && (name == "members" || name == "members.value"):
		return func(ctx context.Context, ids []string) ([]string, error) { return p.groupsAmong(ctx, value, ids) }
	}
	return nil
}

// membersAmong keeps the users that are members of a group: none where it was deleted. See byGroup.
func (p *planner) membersAmong(ctx context.Context, group string, users []string) (kept []string, err error) {
	if !validID(group) || len(users) == 0 {
		return nil, nil
	}
	keys := []store.Key{p.ts.Group(group)}
	for _, id := range users {
		keys = append(keys, p.ts.Member(group, id))
	}
	_, err = p.d.behind(ctx, p.ts, group, func(ctx context.Context, o overlay) error {
		kept = nil
		changes, err := o.changesOf(ctx, p.ts, group)
		if err != nil {
			return err
		}
		items, err := p.ts.Get(ctx, keys...)
		if err != nil || items[0].Attrs == nil {
			return err
		}
		for i, id := range users {
			c, open := changes[id]
			if open && c.add || !open && items[i+1].Attrs != nil {
				kept = append(kept, id)
			}
		}
		return nil
	})
	return kept, err
}

// groupsAmong keeps the groups that somebody is a member of, also somebody who does not exist yet; none for who was
// deleted. See byMember.
func (p *planner) groupsAmong(ctx context.Context, value string, groups []string) (kept []string, err error) {
	if value == "" || tooLong(value) || len(groups) == 0 {
		return nil, nil
	}
	keys := make([]store.Key, len(groups))
	for i, id := range groups {
		keys[i] = p.ts.Member(id, value)
	}
	err = p.d.beside(ctx, p.ts, func(ctx context.Context, o overlay) error {
		kept = nil
		changed, err := o.changeFor(ctx, p.ts, value)
		if err != nil {
			return err
		}
		items, err := p.ts.Get(ctx, keys...)
		if err != nil {
			return err
		}
		for i, id := range groups {
			c, open := changed[id]
			add := c.add
			if !open {
				add = items[i].Attrs != nil && !o.isGone(storedMember(value, items[i]))
			}
			if add && !(open && o.gone[value]) {
				kept = append(kept, id)
			}
		}
		return nil
	})
	return kept, err
}
