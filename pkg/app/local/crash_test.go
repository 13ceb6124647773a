package local_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// crash is a write that leaves open work, or does not fit a transaction. It prepares a tenant, and names the request
// to kill and the right state if it has happened and if it has not.
type crash struct {
	name    string
	prepare func(a *api) []string // ids for the rest
	request func(ids []string) (method, path, body string)
	check   func(t *testing.T, a *api, ids []string, happened bool)
	later   bool // the effects of the commit show only when the open work is done
}

var crashes = []crash{
	{
		name: "create a group of 120", prepare: func(a *api) []string { return a.users(120) },
		request: func(ids []string) (string, string, string) { return "POST", "/Groups", groupBody("big", ids) },
		check: func(t *testing.T, a *api, ids []string, happened bool) {
			expect(t, a, "big", happened, ids)
		},
	},
	{
		name: "add 100 members to 60 and rename", prepare: func(a *api) []string {
			ids := a.users(160)
			return append(ids, a.group("big", ids[:60]))
		},
		request: func(ids []string) (string, string, string) {
			return "PATCH", "/Groups/" + ids[160],
				patchBody(`{"op":"replace","path":"displayName","value":"bigger"},{"op":"add","path":"members","value":` +
					members(ids[60:160]) + `}`)
		},
		check: func(t *testing.T, a *api, ids []string, happened bool) {
			expect(t, a, "bigger", happened, ids[:160])
			expect(t, a, "big", !happened, ids[:60])
		},
	},
	{
		name: "replace 80 of 100 members by 60 others, of whom 10 are unknown", prepare: func(a *api) []string {
			ids := a.users(150)
			return append(ids, a.group("big", ids[:100]))
		},
		request: func(ids []string) (string, string, string) {
			values := slices.Clone(ids[80:150])
			for i := range 10 {
				values = append(values, fmt.Sprintf("unknown-%d", i))
			}
			return "PUT", "/Groups/" + ids[150], groupBody("big", values)
		},
		check: func(t *testing.T, a *api, ids []string, happened bool) {
			if !happened {
				expect(t, a, "big", true, ids[:100])
				return
			}
			values := slices.Clone(ids[80:150])
			for i := range 10 {
				values = append(values, fmt.Sprintf("unknown-%d", i))
			}
			expect(t, a, "big", true, values)
		},
	},
	{
		name: "delete a user in 5 groups who manages 2", prepare: func(a *api) []string {
			ids := a.users(3)
			for i := range 5 {
				a.group(fmt.Sprintf("group-%d", i), ids)
			}
			for i := range 2 {
				a.must(201, "POST", "/Users", fmt.Sprintf(
					`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"managed-%d",
					"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":%q}}}`, i, ids[0]))
			}
			return ids
		},
		request: func(ids []string) (string, string, string) { return "DELETE", "/Users/" + ids[0], "" },
		check: func(t *testing.T, a *api, ids []string, happened bool) {
			want := ids
			if happened {
				want = ids[1:]
				a.must(404, "GET", "/Users/"+ids[0], "")
			}
			for i := range 5 {
				expect(t, a, fmt.Sprintf("group-%d", i), true, want)
			}
		},
	},
	{
		name: "delete a group of 60 that is a member itself", prepare: func(a *api) []string {
			ids := a.users(60)
			inner := a.group("inner", ids)
			a.group("outer", []string{inner, ids[0]})
			return append(ids, inner)
		},
		request: func(ids []string) (string, string, string) { return "DELETE", "/Groups/" + ids[60], "" },
		check: func(t *testing.T, a *api, ids []string, happened bool) {
			expect(t, a, "inner", !happened, ids[:60])
			if happened {
				expect(t, a, "outer", true, ids[:1])
			} else {
				expect(t, a, "outer", true, []string{ids[0], ids[60]})
			}
		},
	},
	{
		name: "a user arrives for whom 3 groups and 2 reports wait", prepare: func(a *api) []string {
			for i := range 3 {
				a.group(fmt.Sprintf("group-%d", i), []string{"Late@Example.com"})
			}
			for i := range 2 {
				a.must(201, "POST", "/Users", fmt.Sprintf(
					`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"managed-%d",
					"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":"late@example.com"}}`, i))
			}
			return nil
		},
		request: func([]string) (string, string, string) {
			return "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"late@example.com"}`
		},
		check: func(t *testing.T, a *api, _ []string, happened bool) {
			want := []string{"Late@Example.com"}
			if happened {
				found := a.must(200, "GET", "/Users?filter=userName+eq+%22late@example.com%22", "")["Resources"].([]any)
				want = []string{found[0].(object)["id"].(string)}
			}
			for i := range 3 {
				expect(t, a, fmt.Sprintf("group-%d", i), true, want)
			}
			reports := a.must(200, "GET", "/Users?filter=userName+sw+%22managed-%22", "")["Resources"].([]any)
			for _, r := range reports {
				manager := r.(object)[enterpriseURN].(object)["manager"].(object)
				if _, resolved := manager["$ref"]; resolved != happened {
					t.Errorf("manager %v, user arrived: %v", manager, happened)
				}
			}
		}, later: true,
	},
}

// expect checks that a group is there, or not, with exactly these members.
func expect(t *testing.T, a *api, name string, there bool, want []string) {
	t.Helper()
	found := a.must(200, "GET", fmt.Sprintf("/Groups?filter=displayName+eq+%%22%s%%22", name), "")
	if got := found["totalResults"] == 1.0; got != there {
		t.Errorf("group %s is there: %v, want %v", name, got, there)
		return
	}
	if !there {
		return
	}
	got := a.values(found["Resources"].([]any)[0].(object)["id"].(string))
	want = slices.Clone(want)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("group %s has %d members, want %d", name, len(got), len(want))
	}
}

// TestKilledAnywhere kills the process before each single write of a request. After the restart either all of the
// request has happened or nothing of it, and an acknowledged one has. Reads show it at once, and still when the open
// work is done.
func TestKilledAnywhere(t *testing.T) {
	for _, c := range crashes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := prepared(t, c)
			for n := 0; ; n += slow.Rounds(1, 4) {
				if !p.killAt(t, n) {
					t.Logf("%d places to die", n)
					return
				}
				if t.Failed() {
					t.Fatalf("killed before write %d", n)
				}
			}
		})
	}
}

// scene is the tenant that a crash has prepared. Each kill has a copy of its own, in memory: the engine is whole when
// it is killed between two writes, so a file adds nothing. TestKilledUnderLoad in e2e has processes with files.
type scene struct {
	crash
	items  []store.Item
	a      *api // whose server is closed
	ids    []string
	before string // the result of agree
}

func prepared(t *testing.T, c crash) scene {
	t.Helper()
	engine := filled.Memory(t)
	p := scene{crash: c, a: on(t, engine, "entra")}
	p.a.switchMemberships("true")
	p.ids = c.prepare(p.a)
	p.before = fmt.Sprint(p.a.agree())
	if err := p.a.s.Close(); err != nil {
		t.Fatal(err)
	}
	p.items = filled.Items(t, engine)
	return p
}

// killAt kills the request before its write number n; false if it has not so many.
func (p scene) killAt(t *testing.T, n int) bool {
	t.Helper()
	inner := filled.Memory(t)
	defer func() { _ = inner.Close() }()
	filled.Load(t, inner, p.items)
	engine := faultstore.New(inner, nil)
	a := p.a.again(engine)
	engine.KillAfterWrites(n)
	method, path, body := p.request(p.ids)
	status, _ := a.do(method, path, body)
	killed := engine.Killed()
	if err := a.s.Close(); err != nil { // a process that was killed does nothing in the background either
		t.Fatal(err)
	}
	engine.Revive()
	b := p.a.again(engine)
	happened := fmt.Sprint(b.agree()) != p.before
	if status < 300 && !happened {
		t.Errorf("answered %d, but nothing happened", status)
	}
	if !p.later {
		p.check(t, b, p.ids, happened)
	}
	if n%2 == 0 { // a write to the same resources finishes open work as well
		if err := b.s.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.agree()
		p.check(t, b, p.ids, happened)
	}
	b.do(method, path, body)
	if err := b.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.agree()
	p.check(t, b, p.ids, true)
	return killed
}
