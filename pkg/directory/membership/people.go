package membership

import (
	"context"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Person is a user with the groups that it is a direct member of.
type Person struct {
	ID string
	// Doc is the stored document; nil: there is no such user. It must not be changed.
	Doc scim.Object
	// Groups are in order of id.
	Groups []GroupOf
	// ManagerID is the id of the user whom the manager names, ManagerName that user's name; "" if it names nobody.
	ManagerID, ManagerName string
}

// GroupOf is a group of a person.
type GroupOf struct {
	ID string
	// Version changes whenever the document does. Doc is the stored document; it must not be changed.
	Version int64
	Doc     scim.Object
	// Since is when the person became a member, in Unix milliseconds.
	Since int64
}

// People reads users with their groups and managers as they are now, in the order of ids: a few calls for all
// together. Changes that open work has still to make are included.
func (s *Service) People(ctx context.Context, ts *store.TenantStore, ids []string) ([]Person, error) {
	var people []Person
	err := s.Beside(ctx, ts, func(ctx context.Context, o Overlay) (err error) {
		p := peopleReader{ts: ts, o: o, all: make([]Person, len(ids)), since: make([]map[string]int64, len(ids))}
		people, err = p.read(ctx, ids)
		return err
	})
	return people, err
}

// peopleReader reads people under the open work that is known.
type peopleReader struct {
	ts    *store.TenantStore
	o     Overlay
	all   []Person
	since []map[string]int64 // by person, of each group; 0 if it has to be read
}

func (p *peopleReader) read(ctx context.Context, ids []string) ([]Person, error) {
	prefixes := make([]string, len(ids))
	for i, id := range ids {
		p.all[i].ID, p.since[i], prefixes[i] = id, map[string]int64{}, p.ts.MemberOfPrefix(id).SK
	}
	g, within := task.WithContext(ctx)
	g.Go(func() error { return p.users(within) })
	g.Go(func() error {
		return p.ts.EachUnder(within, p.ts.MemberOfPrefix("").PK, prefixes, func(i int, sk string) bool {
			p.since[i][store.LastPart(sk)] = 0
			return true
		})
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, id := range ids {
		changed, err := p.o.ChangeFor(ctx, p.ts, id)
		if err != nil {
			return nil, err
		}
		for group, c := range changed {
			if c.Add {
				p.since[i][group] = c.At
			} else {
				delete(p.since[i], group)
			}
		}
	}
	return p.all, p.groups(ctx)
}

// users reads the users, and the managers whom they name.
func (p *peopleReader) users(ctx context.Context) error {
	keys := make([]store.Key, len(p.all))
	for i, person := range p.all {
		keys[i] = p.ts.User(person.ID)
	}
	items, err := p.ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	var managed []int
	keys = nil
	for i, item := range items {
		if item.Attrs == nil || p.o.Gone[p.all[i].ID] {
			continue
		}
		r, err := row.Decode(schema.UserType(), item)
		if err != nil {
			return err
		}
		p.all[i].Doc = r.Doc
		manager := row.ManagerOf(r.Doc)
		if _, resolved := manager["$ref"]; resolved {
			managed = append(managed, i)
			keys = append(keys, p.ts.User(row.Text(manager, "value")))
		}
	}
	if items, err = p.ts.Get(ctx, keys...); err != nil {
		return err
	}
	for n, i := range managed {
		if items[n].Attrs == nil {
			continue
		}
		r, err := row.Decode(schema.UserType(), items[n])
		if err != nil {
			return err
		}
		p.all[i].ManagerID, p.all[i].ManagerName = r.ID, row.DisplayOf(r.Doc)
	}
	return nil
}

// groups reads the groups, and since when the people are members of them.
func (p *peopleReader) groups(ctx context.Context) error {
	var keys []store.Key
	for i, groups := range p.since {
		for id, at := range groups {
			keys = append(keys, p.ts.Group(id))
			if at == 0 {
				keys = append(keys, p.ts.Member(id, p.all[i].ID))
			}
		}
	}
	items, err := p.ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	found := make(map[store.Key]store.Item, len(items))
	for _, item := range items {
		found[item.Key] = item
	}
	decoded := map[string]row.Record{}
	for i, groups := range p.since {
		for id, at := range groups {
			item := found[p.ts.Group(id)]
			if item.Attrs == nil || p.o.Gone[id] || p.all[i].Doc == nil {
				continue
			}
			r, known := decoded[id]
			if !known {
				if r, err = row.Decode(schema.GroupType(), item); err != nil {
					return err
				}
				decoded[id] = r
			}
			if at == 0 {
				m := found[p.ts.Member(id, p.all[i].ID)]
				if m.Attrs == nil { // removed a moment ago
					continue
				}
				at, _ = m.Attrs[attrAt].(int64)
			}
			p.all[i].Groups = append(p.all[i].Groups, GroupOf{ID: id, Version: r.Version, Doc: r.Doc, Since: at})
		}
		slices.SortFunc(p.all[i].Groups, func(a, b GroupOf) int { return CompareKeys(a.ID, b.ID) })
	}
	return nil
}
