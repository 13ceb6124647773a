package lookup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// among finds the memberships of some resources; it is nil if find does not look up memberships.
func (p *Planner) among(name string) plan.Among {
	switch {
	case row.IsUser(p.Type) && (name == "groups" || name == "groups.value"):
		return p.membersAmong
	case row.IsGroup(p.Type) && (name == "members" || name == "members.value"):
		return p.groupsAmong
	}
	return nil
}

// membersAmong finds which users are members of each of some groups: none if the group was deleted. See byGroup. All
// that it finds is of one moment.
func (p *Planner) membersAmong(ctx context.Context, groups, users []string) ([][]string, error) {
	of, valid := make([][]string, len(groups)), make([]int, 0, len(groups))
	for i, id := range groups {
		if row.ValidID(id) {
			valid = append(valid, i)
		}
	}
	if len(valid) == 0 || len(users) == 0 {
		return of, nil
	}
	ids := make([]string, len(valid))
	for i, at := range valid {
		ids[i] = groups[at]
	}
	only := "" // the group whose changes matter: of several, all do
	if len(ids) == 1 {
		only = ids[0]
	}
	_, err := p.members.Behind(ctx, p.ts, only, func(ctx context.Context, o membership.Overlay) error {
		kept, err := p.membersUnder(ctx, o, ids, users)
		for i, at := range valid {
			of[at] = nil
			if err == nil {
				of[at] = kept[i]
			}
		}
		return err
	})
	return of, err
}

// membersUnder finds the same under an overlay. The engine reads the items of a call one by one, so those of several
// groups are read until no group has changed meanwhile, which its version shows. If that never ends, the error is a
// store.ErrConflict.
func (p *Planner) membersUnder(
	ctx context.Context, o membership.Overlay, groups, users []string,
) ([][]string, error) {
	var before []row.Record
	for n := range Rereads {
		began := p.members.Now()
		kept, err := p.membersOnce(ctx, o, groups, users)
		if err != nil || len(groups) == 1 {
			return kept, err
		}
		items, err := p.ts.Get(ctx, store.EachKey(groups, p.ts.Group)...)
		if err != nil {
			return nil, err
		}
		changed := false
		after := make([]row.Record, len(groups)) // of version 0 if the group is not there
		for i, it := range items {
			if it.Attrs != nil {
				if after[i], err = row.Decode(schema.GroupType(), it); err != nil {
					return nil, err
				}
			}
			old := it.Attrs != nil && after[i].Modified.Before(began.Add(-Settled))
			changed = changed || !old && (n == 0 || after[i].Version != before[i].Version)
		}
		if !changed {
			return kept, nil
		}
		before = after
	}
	return nil, errMoving
}

// membersOnce reads them once.
func (p *Planner) membersOnce(
	ctx context.Context, o membership.Overlay, groups, users []string,
) ([][]string, error) {
	changes := make([]map[string]membership.Change, len(groups))
	for i, id := range groups {
		var err error
		if changes[i], err = o.ChangesOf(ctx, p.ts, id); err != nil {
			return nil, err
		}
	}
	chunks := slices.Collect(slices.Chunk(users, max(store.MaxGetKeys/len(groups)-1, 1)))
	found := make([][][]string, len(chunks))
	g, ctx := task.WithContext(ctx)
	for n, chunk := range chunks {
		g.Go(func() error {
			found[n] = make([][]string, len(groups))
			keys := make([]store.Key, 0, len(groups)*(len(chunk)+1))
			for _, group := range groups {
				keys = append(keys, p.ts.Group(group))
			}
			for _, user := range chunk {
				for _, group := range groups {
					keys = append(keys, p.ts.Member(group, user))
				}
			}
			items, err := p.ts.Get(ctx, keys...)
			if err != nil {
				return err
			}
			for j, user := range chunk {
				for i := range groups {
					c, open := changes[i][user]
					there := open && c.Add || !open && items[(j+1)*len(groups)+i].Attrs != nil
					if there && items[i].Attrs != nil {
						found[n][i] = append(found[n][i], user)
					}
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	kept := make([][]string, len(groups))
	for i := range groups {
		for n := range chunks {
			kept[i] = append(kept[i], found[n][i]...)
		}
	}
	return kept, nil
}

// groupsAmong finds which groups each of some members is in, also a member who does not exist yet; none for who was
// deleted. See byMember.
func (p *Planner) groupsAmong(ctx context.Context, members, groups []string) ([][]string, error) {
	of := make([][]string, len(members))
	g, ctx := task.WithContext(ctx)
	for i, value := range members {
		g.Go(func() (err error) {
			of[i], err = p.groupsWith(ctx, value, groups)
			return err
		})
	}
	return of, g.Wait()
}

func (p *Planner) groupsWith(ctx context.Context, value string, groups []string) (kept []string, err error) {
	if value == "" || membership.TooLong(value) || len(groups) == 0 {
		return nil, nil
	}
	keys := store.EachKey(groups, func(id string) store.Key { return p.ts.Member(id, value) })
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

// Rereads bounds how often a resource is read again that changes all the time.
const Rereads = 32

var errMoving = fmt.Errorf("directory: a user's groups changed during each of %d reads: %w", Rereads, store.ErrConflict)

// Settled is the age from which a change of a group is older than any read: longer than a request takes from dating a
// change to writing it, plus the difference of two clocks.
const Settled = time.Minute

// GroupsAtOnce returns the ids of the groups that a user is in, as of one moment: if they take several pages of the
// engine, they are read until two readings are alike. If they never are, the error is a store.ErrConflict.
func GroupsAtOnce(ctx context.Context, o membership.Overlay, ts *store.TenantStore, user string) ([]string, error) {
	var before []string
	for n := range Rereads {
		groups, pages, err := o.GroupsOf(ctx, ts, user)
		if err != nil || pages <= 1 || n > 0 && slices.Equal(groups, before) {
			return groups, err
		}
		before = groups
	}
	return nil, errMoving
}
