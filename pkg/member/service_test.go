package member_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func (w *world) list(filter string, count int) []string {
	w.t.Helper()
	var names []string
	after := ""
	for {
		l, err := w.s.List(context.Background(), w.tenant, filter, after, count)
		w.must(err)
		for _, m := range l.Members {
			names = append(names, m.UserName)
		}
		if after = l.Next; after == "" {
			slices.Sort(names)
			return names
		}
	}
}

func TestList(t *testing.T) {
	w := newWorld(t, teams)
	var ids []string
	for n := range 25 {
		id, err := w.user(fmt.Sprint("u", n), scim.Object{
			"externalId": fmt.Sprint("x", n), "title": fmt.Sprint("t", n%2),
			"emails": []any{scim.Object{"value": fmt.Sprintf("U%d@x.example", n)}},
		})
		w.must(err)
		ids = append(ids, id)
	}
	_, err := w.group("Staff", ids[0], ids[1], ids[2])
	w.must(err)
	w.must(w.publish())
	w.must(w.remove(userType, ids[24]))
	w.must(w.publish())
	tests := []struct {
		filter string
		want   int
	}{
		{"", 24},
		{`status eq "active"`, 3},
		{`status eq "staged"`, 21},
		{`status eq "removed"`, 1},
		{`userName eq "U7"`, 1},
		{`externalId eq "x7"`, 1},
		{`externalId eq "X7"`, 0},
		{`email eq "u7@X.example"`, 1},
		{`loginAddress eq "u7" and status eq "staged"`, 1},
		{`loginAddress eq "u7" and status eq "active"`, 0},
		{`assignments[kind eq "team" and target eq "t1"]`, 12},
		{`assignments[kind eq "role" and target eq "user"] and userName sw "u1"`, 1},
		{`userName eq "u1" or userName eq "u2"`, 2},
		{`not (userName sw "u1")`, 13},
		{`id eq "` + ids[3] + `"`, 1},
	}
	for _, test := range tests {
		for _, count := range []int{1, 4, 100} {
			if got := w.list(test.filter, count); len(got) != test.want {
				t.Errorf("%s, %d a page: %d members, want %d: %v", test.filter, count, len(got), test.want, got)
			}
		}
	}
	var e *scim.Error
	if _, err := w.s.List(context.Background(), w.tenant, `colour eq "red"`, "", 1); !errors.As(err, &e) ||
		e.Status != 400 {
		t.Errorf("error %v, want a 400", err)
	}
}

// TestListsAreFlat counts the calls and units of a page that an index finds, among few and many members. Of
// several indexes the one that finds the fewest counts; the order in the filter does not matter.
func TestListsAreFlat(t *testing.T) {
	sizes := []int{10, 400}
	costs := map[string][]store.Cost{}
	for _, members := range sizes {
		w := newWorld(t, teams)
		var ids []string
		for n := range members {
			id, err := w.user(fmt.Sprint("u", n), nil)
			w.must(err)
			ids = append(ids, id)
		}
		_, err := w.group("Team red", ids...)
		w.must(err)
		w.must(w.publish())
		for _, filter := range []string{
			`userName eq "u3"`,
			`status eq "staged" and userName eq "u3"`,
			`assignments[kind eq "team" and target eq "red"] and userName eq "u3"`,
			`status eq "staged" and assignments[kind eq "team" and target eq "red"] and (email eq "none@example.com")`,
		} {
			ctx, meter := store.WithMeter(context.Background())
			_, err := w.s.List(ctx, w.tenant, filter, "", 10)
			w.must(err)
			costs[filter] = append(costs[filter], meter.Total())
		}
	}
	for filter, c := range costs {
		if c[0] != c[1] || c[0].Calls > 3 {
			t.Errorf("%s: few members cost %+v, many %+v", filter, c[0], c[1])
		}
	}
}

func TestPolicyIsSavedAndApplied(t *testing.T) {
	w := newWorld(t, "")
	ctx := context.Background()
	for n := range 3 {
		_, err := w.user(fmt.Sprint("u", n), scim.Object{"title": "t"})
		w.must(err)
	}
	w.must(w.publish())
	r, err := w.s.Rehearse(ctx, w.tenant, []byte(teams), "")
	w.must(err)
	if r.Examined != 3 || len(r.Gains) != 3 || len(r.Losses) != 0 || len(r.Statuses) != 3 ||
		r.Statuses[0].To != mapping.Staged {
		t.Errorf("rehearsal %+v", r)
	}
	if _, _, err := w.s.SavePolicy(ctx, w.tenant, []byte(teams), 0); !errors.Is(err, member.ErrTenantChanged) {
		t.Errorf("a save without a tenant: %v", err)
	}
	tenants := tenant.New(w.store, tenant.NewTableSecrets(w.store), tenant.Options{Now: time.Now})
	_, _, err = tenants.Create(ctx, tenant.NewTenant{ID: "acme", Name: "Acme"})
	w.must(err)
	if w.tenant, err = member.TenantOf(ctx, tenants, "acme"); err != nil {
		t.Fatal(err)
	}
	saved, _, err := w.s.SavePolicy(ctx, w.tenant, []byte(teams), 0)
	w.must(err)
	if w.tenant, err = member.TenantOf(ctx, tenants, "acme"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.s.SavePolicy(ctx, w.tenant, []byte(teams), 0); !errors.Is(err, member.ErrVersion) {
		t.Errorf("a save on version 0 again: %v", err)
	}
	var faults mapping.Faults
	if _, _, err := w.s.SavePolicy(ctx, w.tenant, []byte(`{"x": 1}`), -1); !errors.As(err, &faults) {
		t.Errorf("a policy with a fault: %v", err)
	}
	st, err := w.s.PolicyStatus(ctx, w.tenant)
	w.must(err)
	if st.Version != saved.Version || st.Applied != 0 {
		t.Errorf("status %+v right after the save", st)
	}
	w.policy = teams
	w.must(w.publish())
	w.check()
	if st, err = w.s.PolicyStatus(ctx, w.tenant); err != nil || st.Applied != 1 || st.FinishedAt.IsZero() {
		t.Errorf("status %+v, error %v", st, err)
	}
}

const adopting = `{"kinds": {"team": {"create": true, "manual": "remove"}, "role": {}}, "rules": [
	{"id": "team", "group": {"pattern": "^Team (?P<name>.+)$"}, "assign": {"kind": "team", "target": "${name}"}},
	{"id": "role", "group": {"pattern": "^Role (?P<name>.+)$"}, "assign": {"kind": "role", "target": "${name}"}}]}`

func TestManualAssignments(t *testing.T) {
	w := newWorld(t, adopting)
	ctx := context.Background()
	ada, err := w.user("ada", nil) // not published yet
	w.must(err)
	red, boss := mapping.TargetKey{Kind: "team", Name: "red"}, mapping.TargetKey{Kind: "role", Name: "boss"}
	status := func(err error) int {
		var r *member.Refused
		if errors.As(err, &r) {
			return r.Status
		}
		if err != nil {
			t.Fatal(err)
		}
		return 200
	}
	has := func(want string) {
		t.Helper()
		m, _, err := w.s.Get(ctx, w.tenant, ada)
		w.must(err)
		var got []string
		for _, a := range m.Assignments {
			got = append(got, fmt.Sprint(a.Name, " ", a.Scim, " ", a.Manual))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("the member has %v, want %s", got, want)
		}
	}
	if got := status(w.s.Assign(ctx, w.tenant, "nobody", red)); got != 404 {
		t.Errorf("nobody: %d", got)
	}
	if got := status(w.s.Assign(ctx, w.tenant, ada, boss)); got != 404 {
		t.Errorf("an unknown role: %d", got)
	}
	if got := status(w.s.Assign(ctx, w.tenant, ada, mapping.TargetKey{Kind: "desk", Name: "1"})); got != 404 {
		t.Errorf("an unknown kind: %d", got)
	}
	w.must(w.s.Assign(ctx, w.tenant, ada, red))
	w.must(w.s.Assign(ctx, w.tenant, ada, red))
	has("[red false true]")
	group, err := w.group("Team red") // without members: it adopts the target all the same
	w.must(err)
	has("[]")
	if got := status(w.s.Assign(ctx, w.tenant, ada, red)); got != 409 {
		t.Errorf("an adopted team: %d", got)
	}
	w.must(w.patch(groupType, group, op(patch.Replace, "displayName", "Other")))
	w.must(w.publish())
	w.must(w.s.Assign(ctx, w.tenant, ada, red))
	has("[red false true]")
	w.must(w.s.Unassign(ctx, w.tenant, ada, red))
	has("[]")
	if got := status(w.s.Unassign(ctx, w.tenant, ada, red)); got != 404 {
		t.Errorf("ended twice: %d", got)
	}
	// A role waits for its target.
	_, err = w.group("Role boss", ada)
	w.must(err)
	w.must(w.publish())
	has("[]")
	why, _, err := w.s.Why(ctx, w.tenant, ada)
	w.must(err)
	missing := why["missing"].([]any)
	if len(missing) != 1 || missing[0].(scim.Object)["reason"] != "target-unknown" {
		t.Errorf("why %v", why)
	}
	_, err = w.s.SaveTarget(ctx, w.tenant, member.Target{
		TargetKey: boss, Target: mapping.Target{DisplayName: "The boss"}, Seats: member.Unbounded,
	})
	w.must(err)
	w.must(w.publish())
	has("[boss true false]")
	if got := status(w.s.RemoveTarget(ctx, w.tenant, boss)); got != 409 {
		t.Errorf("a target in use: %d", got)
	}
	if got := status(w.s.Unassign(ctx, w.tenant, ada, boss)); got != 409 {
		t.Errorf("an assignment of a rule: %d", got)
	}
	// Right after the end of the last assignment, which is not published yet.
	blue := mapping.TargetKey{Kind: "team", Name: "blue"}
	w.must(w.s.Assign(ctx, w.tenant, ada, blue))
	w.must(w.publish())
	w.must(w.s.Unassign(ctx, w.tenant, ada, blue))
	w.must(w.s.RemoveTarget(ctx, w.tenant, blue))
	w.must(w.s.RemoveTarget(ctx, w.tenant, red))
	if got := status(w.s.RemoveTarget(ctx, w.tenant, red)); got != 404 {
		t.Errorf("a target that is gone: %d", got)
	}
}
