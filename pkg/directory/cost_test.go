package directory_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
)

// measured is one operation whose cost may depend on nothing but itself. write is the number of items in its
// transaction times two.
type measured struct {
	name  string
	calls int
	write float64
	do    func(ctx context.Context) error
}

// TestCost asserts the cost of the operations, at several sizes of a group and of its tenant, to the unit.
func TestCost(t *testing.T) {
	first := map[string]directory.Cost{}
	for _, size := range []int{10, 1000, 20000} {
		w := in(t)
		g := w.group("g")
		w.plant(g, size)
		for _, m := range w.operationsOn(g) {
			ctx, total := directory.Metered(context.Background())
			if err := m.do(ctx); err != nil {
				t.Fatalf("%s: %v", m.name, err)
			}
			c := total()
			if c.Calls != m.calls || c.WriteUnits != m.write {
				t.Errorf("%s at %d members: %d calls and %.1f write units, want %d and %.1f", m.name, size,
					c.Calls, c.WriteUnits, m.calls, m.write)
			}
			if before, known := first[m.name]; known && before != c {
				t.Errorf("%s costs %+v at %d members, %+v at 10", m.name, c, size, before)
			}
			first[m.name] = c
		}
		if size == 1000 {
			w.settled()
		}
	}
}

// operationsOn are the operations, each with its preparation.
func (w *world) operationsOn(g string) []measured {
	member, free := w.user("member"),
		w.user("free", `"externalId":"x1"`, `"emails":[{"value":"a@example.com","type":"work"}]`)
	w.ok(w.patch(group, g, add(member)))
	many := w.users(31)
	patched := func(rt *schemaType, id, ops string, body directory.Body) func(context.Context) error {
		return func(ctx context.Context) error {
			_, _, err := w.dir.Patch(ctx, w.tenant, rt, id, w.operations(ops), directory.PatchOptions{Body: body})
			return err
		}
	}
	got := func(id string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.dir.Get(ctx, w.tenant, user, id, nil)
			return err
		}
	}
	created := func(body string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.dir.Create(ctx, w.tenant, user, parse(w.t, body), nil)
			return err
		}
	}
	var joined string
	join := func(ctx context.Context) error {
		made, err := w.dir.Create(ctx, w.tenant, membership,
			parse(w.t, fmt.Sprintf(`{"group":{"value":%q},"member":{"value":%q}}`, g, free)), nil)
		joined = made.ID
		return err
	}
	read := func(ctx context.Context) error {
		_, err := w.dir.Get(ctx, w.tenant, membership, joined, nil)
		return err
	}
	leave := func(ctx context.Context) error { return w.dir.Delete(ctx, w.tenant, membership, joined, nil) }
	ofGroup := fmt.Sprintf("group.value eq %q", g)
	title := func(v string) string { return fmt.Sprintf(`{"op":"replace","path":"title","value":%q}`, v) }
	return []measured{
		{"filter, miss", 1, 0, w.filtered(`userName eq "nobody"`, 0)},
		{"filter, hit", 4, 0, w.filtered(`userName eq "free"`, 1)},
		{"get a user without groups", 3, 0, got(free)},
		{"get a user with groups", 4, 0, got(member)},
		{"create a user", 1, 8, created(userBody("new"))}, // user, name, counter, check that nobody waits
		{
			"create a user with lookups", 1, 14,
			created(userBody("new2", `"externalId":"e2"`, `"emails":[{"value":"b@example.com"}]`)),
		},
		// and lookup and check of the manager
		{"create a user with a manager", 2, 12, created(userBody("new3", managed(free)))},
		{"patch a user", 2, 2, patched(user, free, title("a"), directory.NoBody)},
		{"patch a user, body", 4, 2, patched(user, free, title("b"), directory.FullBody)},
		{"patch a user, body with groups", 5, 2, patched(user, member, title("c"), directory.FullBody)},
		{"patch a user, nothing new", 1, 0, patched(user, free, title("b"), directory.NoBody)},
		{"rename a user", 2, 8, patched(user, free, `{"op":"replace","path":"userName","value":"renamed"}`,
			directory.NoBody)},
		// group, member, membership, check of the user
		{"add a member", 2, 8, patched(group, g, add(many[30]), directory.NoBody)},
		{"add a member who is there", 1, 0, patched(group, g, add(many[30]), directory.NoBody)},
		{"remove a member", 2, 6, patched(group, g, drop(many[30]), directory.NoBody)},
		{"add 30 members", 2, 182, patched(group, g, add(many[:30]...), directory.NoBody)},
		{"remove 30 members", 2, 122, patched(group, g, drop(many[:30]...), directory.NoBody)},
		{"rename a group", 3, 10, patched(group, g, `{"op":"replace","path":"displayName","value":"h"}`, directory.NoBody)},
		{"create a membership", 2, 8, join}, // as a member is added
		{"get a membership", 2, 0, read},
		{"find a membership", 2, 0, w.memberships(ofGroup+fmt.Sprintf(" and member.value eq %q", free), 1)},
		{"memberships of a user", 4, 0, w.memberships(fmt.Sprintf("member.value eq %q", free), 1)},
		{"first page of a group's memberships", 4, 1, w.memberships(ofGroup, 10)},
		{"number of a group's memberships", 2, 0, w.memberships(ofGroup, 0)},
		{"delete a membership", 2, 6, leave},
		{
			"delete a user", 6, 9,
			func(ctx context.Context) error { return w.dir.Delete(ctx, w.tenant, user, many[0], nil) },
		},
		{
			"delete a user in a group", 7, 15,
			func(ctx context.Context) error { return w.dir.Delete(ctx, w.tenant, user, member, nil) },
		},
	}
}

func (w *world) filtered(expr string, want int) func(context.Context) error {
	e, err := filter.Parse(expr, w.tenant.Dialect)
	w.ok(nil, err)
	return func(ctx context.Context) error {
		list, err := w.dir.List(ctx, w.tenant, user, directory.ListQuery{Filter: e, StartIndex: 1, Count: 100})
		if err == nil && len(list.Resources) != want {
			return fmt.Errorf("found %d", len(list.Resources))
		}
		return err
	}
}

// memberships lists the first ten memberships under a filter; want is how many there have to be on the page, 0 asks for
// the total only.
func (w *world) memberships(expr string, want int) func(context.Context) error {
	e, err := filter.Parse(expr, w.tenant.Dialect)
	w.ok(nil, err)
	return func(ctx context.Context) error {
		list, err := w.dir.List(ctx, w.tenant, membership,
			directory.ListQuery{Filter: e, StartIndex: 1, Count: min(10, 10*want)})
		if err == nil && (len(list.Resources) != want || 0 < want && want < 10 && list.Total != want) {
			return fmt.Errorf("found %d of %d", len(list.Resources), list.Total)
		}
		return err
	}
}
