package bench

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// world is a tenant of one size.
type world struct {
	client
	// size is the number of users, or of the group's members.
	size int
	ids  []string // of the users
	// group is the one that members join and leave; groups is the number of others.
	group  string
	groups int
	others []string // ids of the groups without members
	// departments are the groups that have all users among them.
	departments []string
	changes     atomic.Int64 // of members in turn
	// cursor leads to a late page of users.
	cursor string
	// made are the ids of the resources that the run created, to be deleted by it.
	made []string
	// server and spent are for work in the background; spent is nil if its cost is not known.
	server *local.Server
	spent  func() store.Cost
}

const (
	seeders = 16
	// maxChanges is the largest number of memberships that one request may change.
	maxChanges = 20_000
	// knownMembers is the number of users beside a large group, to become members.
	knownMembers = 64
	// usersAGroup is the number of users to each small group.
	usersAGroup = 10
	// departments is the number of groups that have all users among them, each user in one.
	departments = 10
)

// here is the base URL of a server without a network.
const here = "http://127.0.0.1"

func newWorld(ctx context.Context, s *local.Server, o options, size int, name string) (*world, error) {
	on := true
	t, token, err := s.Tenants().Create(ctx, tenant.NewTenant{
		Name: "Bench " + name, IdP: o.idp, Settings: tenant.Settings{SCIM: tenant.SCIMSettings{GroupMemberships: &on}},
	})
	if err != nil {
		return nil, err
	}
	return &world{size: size, server: s, client: client{
		handler: s.Handler(), base: here + "/scim/v2/" + t.ID, admin: here + "/admin/v1/tenants/" + t.ID,
		token: token.Value,
	}}, nil
}

// user is the body of user i.
func user(i string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"user-%[1]s@example.com",`+
		`"externalId":"ext-%[1]s",`+
		`"name":{"givenName":"Grace","familyName":"Hopper"},"displayName":"Grace Hopper",`+
		`"title":"Engineer","active":true,`+
		`"emails":[{"value":"mail-%[1]s@example.com","type":"work","primary":true}]}`, i)
}

// group is the body of group i.
func group(i string, members ...string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"group-%[1]s",`+
		`"externalId":"ext-%[1]s","members":[%[2]s]}`,
		i, list(members))
}

// list is a list of members in JSON.
func list(ids []string) string {
	var parts []string
	for _, id := range ids {
		parts = append(parts, `{"value":"`+id+`"}`)
	}
	return strings.Join(parts, ",")
}

func number(i int) string { return fmt.Sprintf("%07d", i) }

// patch is the body of a PATCH.
func patch(operation string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operation + `]}`
}

// join and leave are the bodies that add members and remove one.
func join(ids ...string) string {
	return patch(`{"op":"add","path":"members","value":[` + list(ids) + `]}`)
}

func leave(id string) string {
	return patch(`{"op":"remove","path":"members[value eq \"` + id + `\"]"}`)
}

// create creates n resources, several at a time, and returns their ids by number.
func (w *world) create(ctx context.Context, n int, path string, body func(i int) string, p *progress) (
	[]string, error,
) {
	ids := make([]string, n)
	g, ctx := task.WithContext(ctx)
	for k := range seeders {
		g.Go(func() error {
			for i := k; i < n; i += seeders {
				s, err := w.send(ctx, request{method: "POST", path: path, body: body(i)}, false)
				if err != nil {
					return err
				}
				if ids[i], err = id(s.body); err != nil {
					return err
				}
				p.step(1)
			}
			return nil
		})
	}
	return ids, g.Wait()
}

// fillUsers creates users and small groups, one of which has members, puts each user into a department, and gives one a
// manager.
func (w *world) fillUsers(ctx context.Context, s *local.Server, p *progress) (err error) {
	if w.ids, err = w.create(ctx, w.size, "/Users", func(i int) string { return user(number(i)) }, p); err != nil {
		return err
	}
	w.groups = w.size / usersAGroup
	groups, err := w.create(ctx, w.groups, "/Groups", func(i int) string {
		if i == 0 {
			return group(number(i), w.ids[:3]...)
		}
		return group(number(i))
	}, p)
	if err != nil {
		return err
	}
	w.group, w.others = groups[0], groups[1:]
	for k := range departments {
		var members []string
		for i := k; i < min(w.size, maxChanges*departments); i += departments {
			members = append(members, w.ids[i])
		}
		made, err := w.send(ctx, post("/Groups", group(fmt.Sprintf("department-%d", k), members...)), false)
		if err != nil {
			return err
		}
		department, err := id(made.body)
		if err != nil {
			return err
		}
		w.departments = append(w.departments, department)
		if err := s.Settle(ctx); err != nil {
			return err
		}
	}
	manager :=
		`{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":{"value":"` +
			w.ids[0] + `"}}`
	_, err = w.send(ctx, change("/Users/"+w.ids[1], patch(manager)), false)
	return err
}

// fillMembers creates a group and its members, in requests as large as they may be. They are no users of the tenant.
func (w *world) fillMembers(ctx context.Context, s *local.Server, p *progress) (err error) {
	w.ids, err = w.create(ctx, knownMembers, "/Users", func(i int) string { return user(number(i)) }, p)
	if err != nil {
		return err
	}
	groups, err := w.create(ctx, 1, "/Groups", func(i int) string { return group(number(i)) }, p)
	if err != nil {
		return err
	}
	w.group = groups[0]
	for from := 0; from < w.size; from += maxChanges {
		values := make([]string, min(maxChanges, w.size-from))
		for i := range values {
			values[i] = "member-" + number(from+i)
		}
		if _, err := w.send(ctx, request{method: "PATCH", path: "/Groups/" + w.group, body: join(values...)},
			false); err != nil {
			return err
		}
		if err := s.Settle(ctx); err != nil {
			return err
		}
		p.step(len(values))
	}
	return nil
}
