package directory_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// costOf is the cost of a filter, which has to find so many.
func (w *world) costOf(rt *schemaType, expr string, want int) directory.Cost {
	w.t.Helper()
	e, err := filter.Parse(expr, w.tenant.Dialect)
	w.ok(nil, err)
	sel, err := rt.Projection(nil, []string{"members", "groups"})
	w.ok(nil, err)
	ctx, total := directory.Metered(context.Background())
	list, err := w.dir.List(ctx, w.tenant, rt, directory.ListQuery{Filter: e, StartIndex: 1, Count: 10, Selection: sel})
	w.ok(nil, err)
	if list.Total != want || len(list.Resources) != want {
		w.t.Errorf("%s: found %d, want %d", expr, list.Total, want)
	}
	return total()
}

// TestMembershipAndMore: a membership that is asked for beside something else that names few costs the same in a group
// of 10 and of 25,000, and for a user of 2 groups and of 1,500.
func TestMembershipAndMore(t *testing.T) {
	var first []directory.Cost
	for _, size := range []int{10, 25_000} {
		w := in(t)
		u := w.user("u", `"externalId":"x"`, `"emails":[{"value":"u@example.com","type":"work"}]`)
		w.user("other")
		g := w.group("g", u)
		h := w.group("h")
		w.plant(g, size)
		var ops []store.Op
		for n := range min(size, 1500) {
			key := store.KeysOf(w.tenant.ID).MemberOf(u, fmt.Sprintf("planted-%d", n))
			ops = append(ops, store.Op{Kind: store.Put, Key: key, Set: store.Attrs{}})
		}
		w.ok(nil, store.New(w.engine, store.Options{}).Batch(context.Background(), ops...))
		for i, c := range []struct {
			rt    *schemaType
			expr  string
			found int
		}{
			{user, `userName eq "u" and groups.value eq "` + g + `"`, 1},
			{user, `groups.value eq "` + g + `" and userName eq "other"`, 0},
			{user, `groups.value eq "` + g + `" and userName eq "nobody"`, 0},
			{user, `groups[value eq "` + g + `"] and externalId eq "x"`, 1},
			{user, `emails.value eq "u@example.com" and active pr and groups eq "` + h + `"`, 0},
			{user, `id eq "` + u + `" and groups.value eq "nowhere"`, 0},
			{group, `id eq "` + g + `" and members.value eq "` + u + `"`, 1},
			{group, `members[value eq "` + u + `"] and id eq "` + h + `"`, 0},
			{group, `displayName eq "g" and members eq "` + u + `"`, 1},
			{group, `displayName eq "h" and members eq "` + u + `"`, 0},
			{group, `displayName pr and id eq "` + g + `" and members[value eq "` + u + `"]`, 1},
		} {
			cost := w.costOf(c.rt, c.expr, c.found)
			if size == 10 {
				first = append(first, cost)
			} else if first[i] != cost {
				t.Errorf("%s costs %+v at %d members, %+v at 10", c.expr, cost, size, first[i])
			}
		}
	}
}

// TestMembershipAndMoreInOpenChange: the same sees a change that is committed and not yet rolled forward, and who was
// deleted.
func TestMembershipAndMoreInOpenChange(t *testing.T) {
	killer := faultstore.New(memory(t), nil)
	w := on(t, killer, "entra")
	w.killed = true
	ids := w.users(150)
	g := w.group("g")
	w.ok(w.patch(group, g, add(ids[:50]...)))
	for n := 1; ; n++ { // until it is killed just after the commit
		killer.KillAfterWrites(n)
		_, _ = w.patch(group, g, drop(ids[:50]...)+","+add(append([]string{"nobody"}, ids[50:]...)...))
		killer.Revive()
		if len(w.members(g)) == 101 {
			break
		}
	}
	check := func(value string, want int) {
		t.Helper()
		w.costOf(group, `id eq "`+g+`" and members.value eq "`+value+`"`, want)
		if value != "nobody" {
			w.costOf(user, `id eq "`+value+`" and groups.value eq "`+g+`"`, want)
		}
	}
	for range 2 {
		check(ids[0], 0)
		check(ids[149], 1)
		check("nobody", 1)
		w.settled()
	}
	w.ok(nil, w.remove(user, ids[149]))
	check(ids[149], 0)
	w.ok(nil, w.remove(group, g))
	check(ids[100], 0)
	w.settled()
}
