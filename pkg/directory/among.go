package directory

import (
	"context"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// maxAmong is up to how many candidates are looked up among the members of a group, or as groups of a member. Of more, the members, or
// groups, are read.
const maxAmong = 200

// among keeps those of ids, sorted, that a membership is asked of.
type among func(ctx context.Context, ids []string) ([]string, error)

// memberships finds the candidates of n that m, a lookup of memberships, allows: it asks for theirs alone, whatever the size of the group.
func memberships(n, m *narrowing) func(context.Context) (candidates, error) {
	return func(ctx context.Context) (candidates, error) {
		found, err := n.find(ctx)
		if err != nil || found.many || len(found.ids) > maxAmong {
			if err != nil {
				return found, err
			}
			all, err := m.find(ctx)
			return found.both(all), err
		}
		found.ids, err = m.among(ctx, found.ids)
		return found, err
	}
}

// both are the candidates that two lookups allow.
func (a candidates) both(b candidates) candidates {
	switch {
	case a.many && b.many:
		return a
	case a.many:
		return candidates{ids: b.ids, loose: true}
	case b.many:
		return candidates{ids: a.ids, loose: true}
	}
	a.ids = slices.DeleteFunc(a.ids, func(id string) bool { _, found := slices.BinarySearch(b.ids, id); return !found })
	a.loose = a.loose || b.loose
	return a
}

// among is what finds the memberships of some; nil where find is no lookup of memberships.
func (p *planner) among(name, value string) among {
	switch {
	case isUser(p.rt) && (name == "groups" || name == "groups.value"):
		return func(ctx context.Context, ids []string) ([]string, error) { return p.membersAmong(ctx, value, ids) }
	case isGroup(p.rt) && (name == "members" || name == "members.value"):
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

// groupsAmong keeps the groups that somebody is a member of, also somebody who does not exist yet; none for who was deleted. See byMember.
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
