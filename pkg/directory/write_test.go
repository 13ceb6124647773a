package directory_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/directory/bulk"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// devices are the types of a tenant that has one of its own.
func devices(t testing.TB) *schema.Types {
	t.Helper()
	d, err := define.ParseDefinitions(parse(t, `{
		"schemas": [{"id": "urn:example:2.0:Device", "attributes": [{"name": "serial", "uniqueness": "server"}]}],
		"resourceTypes": [{"name": "Device", "endpoint": "/Devices", "schema": "urn:example:2.0:Device"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	types, err := d.Types()
	if err != nil {
		t.Fatal(err)
	}
	return types
}

// writes are requests of every kind on resources that are created before each; they return the status.
func (w *world) writes(t testing.TB) map[string]func() int {
	device := w.tenant.Types.ByID("Device")
	serial := func(s string) string { return `{"schemas":["urn:example:2.0:Device"],"serial":` + quoted(s) + `}` }
	made := func(res directory.Resource, err error) string {
		t.Helper()
		w.ok(res, err)
		return res.ID
	}
	u, v, x := made(w.create(user, userBody("ann"))), made(w.create(user, userBody("ben"))),
		made(w.create(user, userBody("cid")))
	h := made(w.create(group, groupBody("others")))
	g, dev := made(w.create(group, groupBody("team", u))), made(w.create(device, serial("1")))
	many := make([]string, 40)
	for i := range many {
		many[i] = made(w.create(user, userBody(fmt.Sprintf("many%d", i))))
	}
	link := made(w.create(membership, fmt.Sprintf(`{"schemas":[%q],"group":{"value":%q},"member":{"value":%q}}`,
		scim.GroupMembershipURN, g, many[0])))
	rename := func(to string) string { return `{"op":"replace","path":"displayName","value":` + quoted(to) + `}` }
	got := func(_ any, err error) int { return status(err) }
	inBulk := func(op bulk.Operation) func() int {
		return func() int {
			results, err := bulk.Run(context.Background(), w.dir, w.tenant, []bulk.Operation{op}, bulk.Options{
				Request: []byte(op.Method + op.Type.ID + op.ID),
			})
			if err != nil {
				t.Fatal(err)
			}
			return status(results[0].Err)
		}
	}
	return map[string]func() int{
		"POST user":              func() int { return got(w.create(user, userBody("eve"))) },
		"PUT user":               func() int { return got(w.put(user, u, userBody("ann2"))) },
		"PATCH user":             func() int { return got(w.patch(user, u, rename("Ann"))) },
		"DELETE user":            func() int { return status(w.remove(user, v)) },
		"POST group":             func() int { return got(w.create(group, groupBody("all", u))) },
		"PUT group":              func() int { return got(w.put(group, g, groupBody("staff"))) },
		"PATCH group":            func() int { return got(w.patch(group, g, rename("crew"))) },
		"PATCH add member":       func() int { return got(w.patch(group, g, add(many[1]))) },
		"PATCH remove member":    func() int { return got(w.patch(group, g, drop(many[1], u))) },
		"PATCH add many members": func() int { return got(w.patch(group, g, add(many...))) },
		"POST membership": func() int {
			return got(w.create(membership, fmt.Sprintf(`{"schemas":[%q],"group":{"value":%q},"member":{"value":%q}}`,
				scim.GroupMembershipURN, h, x)))
		},
		"DELETE membership": func() int { return status(w.remove(membership, link)) },
		"DELETE group":      func() int { return status(w.remove(group, g)) },
		"POST device":       func() int { return got(w.create(device, serial("2"))) },
		"PUT device":        func() int { return got(w.put(device, dev, serial("3"))) },
		"PATCH device": func() int {
			return got(w.patch(device, dev, `{"op":"replace","path":"serial","value":"4"}`))
		},
		"DELETE device": func() int { return status(w.remove(device, dev)) },
		"bulk POST user": inBulk(bulk.Operation{
			Method: "POST", Type: user, BulkID: "b", Data: scim.Raw(userBody("bulk")),
		}),
		"bulk PATCH group": inBulk(bulk.Operation{
			Method: "PATCH", Type: group, ID: g, Data: scim.Raw(
				`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + add(v) + `]}`),
		}),
		"bulk DELETE user": inBulk(bulk.Operation{Method: "DELETE", Type: user, ID: u}),
	}
}

// ruled creates a world with a tenant that has a type of its own, under options.
func ruled(t testing.TB, engine store.Engine, o directory.Options) *world {
	t.Helper()
	w := on(t, engine, "entra")
	w.tenant.Types = devices(t)
	o.Now, o.MaxScan, o.MaxWait = w.clock, patience, patience
	w.dir = directory.New(store.New(engine, store.Options{MaxWait: patience}), o)
	return w
}

// TestRulesSeeEveryWrite: a rule is asked before each write of any kind, and if it refuses, nothing is written.
func TestRulesSeeEveryWrite(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"PATCH add member": "Group update +1", "PATCH remove member": "Group update -1",
		"PATCH add many members": "Group update +39",
		"POST membership":        "Group update +1", "DELETE membership": "Group update -1",
		"bulk PATCH group": "Group update +1",
		"POST user":        "User create", "PUT user": "User update", "PATCH user": "User update",
		"DELETE user":    "User delete",
		"bulk POST user": "User create", "bulk DELETE user": "User delete",
		"POST group": "Group create +1", "PUT group": "Group update -2", "PATCH group": "Group update",
		"DELETE group": "Group delete",
		"POST device":  "Device create", "PUT device": "Device update", "PATCH device": "Device update",
		"DELETE device": "Device delete",
	}
	var seen []string
	refuse := false
	rule := func(_ context.Context, c directory.Change) error {
		if !refuse {
			return nil
		}
		s := c.Type.ID + " " + string(c.Action)
		if len(c.Joining) > 0 {
			s += fmt.Sprintf(" +%d", len(c.Joining))
		}
		if len(c.Leaving) > 0 {
			s += fmt.Sprintf(" -%d", len(c.Leaving))
		}
		if (c.Before == nil) != (c.Action == directory.ActionCreate) ||
			(c.After == nil) != (c.Action == directory.ActionDelete) {
			t.Errorf("%s: before %v, after %v", s, c.Before, c.After)
		}
		seen = append(seen, s)
		return scim.Errorf(403, scim.NoType, "No.")
	}
	w := ruled(t, memory(t), directory.Options{Rules: directory.Rules{Allow: rule}})
	writes := w.writes(t)
	if len(writes) != len(want) {
		t.Errorf("%d writes, %d expected", len(writes), len(want))
	}
	refuse = true
	before := w.items()
	for _, name := range slices.Sorted(maps.Keys(writes)) {
		seen = nil
		if got := writes[name](); got != 403 {
			t.Errorf("%s: %d", name, got)
		}
		if !slices.Equal(seen, []string{want[name]}) {
			t.Errorf("%s: the rule saw %q, not %q", name, seen, want[name])
		}
		after := w.items()
		// of bulk
		maps.DeleteFunc(after, func(k store.Key, _ store.Attrs) bool { return strings.HasSuffix(k.PK, "#B") })
		if !scim.Equal(contents(after), contents(before)) {
			t.Errorf("%s was refused, and wrote", name)
		}
	}
}

// contents are items as one object.
func contents(items map[store.Key]store.Attrs) object {
	o := object{}
	for k, attrs := range items {
		o[k.PK+"|"+k.SK] = fmt.Sprint(attrs)
	}
	return o
}

// carried notes the operations that transactions carry, in a partition that nothing else uses.
type carried struct {
	mu    sync.Mutex
	calls []directory.Touched
}

func (c *carried) ops(k store.Keys, _ directory.Origin, touched directory.Touched) []store.Op {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, touched)
	var ops []store.Op
	names := slices.Concat(touched.Users, touched.Groups)
	for _, j := range touched.Joined {
		names = append(names, j.Group)
	}
	for _, id := range names {
		ops = append(ops, store.PutItem(k.PageMark("touched", id), nil))
	}
	return ops
}

// TestEveryWriteNamesWhatItTouches: each transaction that changes users, groups or memberships carries operations for
// the resources that it touches, and so do the steps of open work before they take a membership away.
func TestEveryWriteNamesWhatItTouches(t *testing.T) {
	t.Parallel()
	engine := &intercept{Engine: memory(t)}
	c := &carried{}
	w := ruled(t, engine, directory.Options{Carry: c.ops})
	writes := w.writes(t)
	marked := map[string]bool{}
	var mu sync.Mutex
	// A membership or a document is written only with the mark of its user or group, or of the group of both, or after
	// it.
	engine.before = func(call call) {
		mu.Lock()
		defer mu.Unlock()
		for _, op := range call.ops {
			if strings.HasSuffix(op.PK, "#K") {
				marked[store.LastPart(op.SK)] = true
			}
		}
		for _, op := range call.ops {
			part := op.PK[strings.LastIndex(op.PK, "#"):]
			ids := []string{store.LastPart(op.SK)}
			if part == "#M" {
				ids = store.Split(op.SK)
			}
			isWrite := op.Kind == store.Put || op.Kind == store.Delete
			if (part == "#U" || part == "#M") && isWrite &&
				!slices.ContainsFunc(ids, func(id string) bool { return marked[id] }) {
				t.Errorf("%v of %s %q without a mark", op.Kind, part, op.SK)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(writes)) {
		mu.Lock()
		clear(marked)
		mu.Unlock()
		c.calls = nil
		switch got := writes[name](); {
		case got != 200 && got != 404: // some find nobody any more
			t.Errorf("%s: %d", name, got)
		case got == 200 && len(c.calls) == 0 && !strings.Contains(name, "device"):
			t.Errorf("%s carries nothing", name)
		case strings.Contains(name, "device") && len(c.calls) > 0:
			t.Errorf("%s carries %v", name, c.calls)
		}
	}
}

// TestOpenWorkNamesWhoLeaves: a large change names its group, and each chunk the users in it before it takes effect; so
// do the steps that take away the memberships of a deleted group.
func TestOpenWorkNamesWhoLeaves(t *testing.T) {
	t.Parallel()
	c := &carried{}
	w := ruled(t, memory(t), directory.Options{Carry: c.ops})
	made, err := w.create(group, groupBody("large"))
	w.ok(made, err)
	ids := w.plant(made.ID, 100)
	named := func() map[string]bool {
		users := map[string]bool{}
		for _, call := range c.calls {
			for _, id := range call.Users {
				users[id] = true
			}
		}
		return users
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"PUT without members", func() error { _, err := w.put(group, made.ID, groupBody("large")); return err }},
		{"PUT with members", func() error { _, err := w.put(group, made.ID, groupBody("large", ids...)); return err }},
		{"DELETE", func() error { return w.remove(group, made.ID) }},
	} {
		c.calls = nil
		w.ok(nil, step.do())
		groups := slices.Clone(c.calls[0].Groups)
		for _, j := range c.calls[0].Joined {
			groups = append(groups, j.Group)
		}
		if len(c.calls[0].Users) > 0 || !slices.Equal(groups, []string{made.ID}) {
			t.Errorf("%s: the commit names %v", step.name, c.calls[0])
		}
		w.ok(nil, w.dir.RollForward(context.Background(), w.tenant.ID))
		users := named()
		for _, id := range ids {
			if !users[id] {
				t.Errorf("%s: %s is not named", step.name, id)
				break
			}
		}
	}
}

// TestCarriedStaysInTheTransaction: a change that fills its transaction leaves room for the carried ones, in that same
// transaction: if that fails, nothing of it is there.
func TestCarriedStaysInTheTransaction(t *testing.T) {
	t.Parallel()
	engine := &intercept{Engine: memory(t)}
	c := &carried{}
	w := ruled(t, engine, directory.Options{Carry: c.ops})
	var ids []string
	for i := range 33 {
		res, err := w.create(user, userBody(fmt.Sprintf("user%d", i)))
		w.ok(res, err)
		ids = append(ids, res.ID)
	}
	for n := 15; n <= len(ids); n++ {
		made, err := w.create(group, groupBody(fmt.Sprintf("group%d", n)))
		w.ok(made, err)
		// Who waits needs more operations than a user does.
		values := slices.Clone(ids[:n])
		for i := range n - 15 {
			values = append(values, fmt.Sprintf("nobody %d of %d", i, n))
		}
		commits := 0
		engine.before = func(call call) {
			if !call.does(store.Update, "G") || commits > 0 {
				return
			}
			if commits++; !call.does(store.Put, "K") {
				t.Errorf("%d users: the transaction carries nothing", n)
			}
		}
		_, err = w.patch(group, made.ID, add(values...))
		engine.before = nil
		if err != nil || commits == 0 {
			t.Errorf("%d users: %v, %d commits", n, err, commits)
		}
	}
}

// TestCommitSites: one place commits transactions on resources, and the writes beside it are known, each with the
// reason why it needs no more than it says.
func TestCommitSites(t *testing.T) {
	t.Parallel()
	want := map[string]struct {
		times int
		why   string
	}{
		"membership/write.go Commit": {1, "the place"},
		"membership/write.go Batch": {
			3, "carried before a step of open work; chunks; the chunks of a refused change",
		},
		"membership/large.go Write":   {1, "open work whose group went with its tenant"},
		"membership/resolve.go Batch": {1, "resolved open work"},
		"membership/work.go Batch":    {4, "work that lingered; members of a deleted group; its leftovers"},
		"membership/work.go Write":    {1, "open work that nobody can have seen"},
		"query/mark.go Write":         {1, "the end of a page"},
		"types.go Batch":              {1, "which types there are, before there is anything of them"},
		"erase.go Batch":              {1, "the end of a tenant"},
		"bulk/memory.go Transact":     {1, "what is known of a bulk request"},
	}
	found := map[string]int{}
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := c.Fun.(*ast.SelectorExpr)
			if !ok || len(c.Args) < 2 {
				return true
			}
			ts, toStore := c.Args[1].(*ast.SelectorExpr)
			switch sel.Sel.Name {
			case "Transact", "Batch", "Write":
				found[name+" "+sel.Sel.Name]++
			case "Commit":
				if toStore && ts.Sel.Name == "ts" {
					found[name+" Commit"]++
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for site, times := range found {
		if want[site].times != times {
			t.Errorf("%s: %d writes to the store, want %d: one that changes a resource has to "+
				"go through Service.Commit",
				site, times, want[site].times)
		}
	}
	for site, w := range want {
		if found[site] == 0 {
			t.Errorf("%s is gone: %s", site, w.why)
		}
	}
}
