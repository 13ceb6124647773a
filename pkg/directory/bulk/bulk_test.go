package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/directory/bulk"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// world is a directory on an engine in memory, and one tenant in it.
type world struct {
	t testing.TB
	d *directory.Directory
	a directory.Tenant
}

// on creates a world on an engine that wrap puts around the one in memory; nil for that itself.
func on(t testing.TB, wrap func(store.Engine) store.Engine) world {
	t.Helper()
	var engine store.Engine
	memory, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	if engine = memory; wrap != nil {
		engine = wrap(memory)
	}
	d := directory.New(store.New(engine, store.Options{}), directory.Options{Now: time.Now})
	return world{t: t, d: d, a: directory.Tenant{ID: "acme", BaseURL: "http://x", CursorKey: make([]byte, 32)}}
}

func post(rt *schema.ResourceType, bulkID, data string) bulk.Operation {
	return bulk.Operation{Method: http.MethodPost, Type: rt, BulkID: bulkID, Data: scim.Raw(data)}
}

func change(method string, rt *schema.ResourceType, id, data string) bulk.Operation {
	return bulk.Operation{Method: method, Type: rt, ID: id, Data: scim.Raw(data)}
}

// user is the data of a user with a manager, "" for none.
func user(name, manager string) string {
	if manager != "" {
		manager = fmt.Sprintf(`,%q:{"manager":{"value":%q}}`, scim.EnterpriseUserURN, manager)
	}
	return fmt.Sprintf(`{"schemas":[%q],"userName":%q%s}`, scim.UserURN, name, manager)
}

// group is the data of a group.
func group(name string, members ...string) string {
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = fmt.Sprintf(`{"value":%q}`, m)
	}
	return fmt.Sprintf(`{"schemas":[%q],"displayName":%q,"members":[%s]}`, scim.GroupURN, name, strings.Join(list, ","))
}

// run carries out a request that is known as name if it comes again.
func (w world) run(ctx context.Context, name string, limit int, ops ...bulk.Operation) []bulk.Result {
	w.t.Helper()
	results, err := bulk.Run(ctx, w.d, w.a, append([]bulk.Operation(nil), ops...), bulk.Options{
		FailOnErrors: limit,
		Request:      []byte(name),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return results
}

// status is the status of a result as the answer shows it; 0 for an operation that was not carried out.
func status(r bulk.Result) int {
	known := (*scim.Error)(nil)
	switch {
	case r.Err == nil:
		return r.Status
	case errors.As(r.Err, &known):
		return known.Status
	}
	return http.StatusInternalServerError
}

func statuses(results []bulk.Result) string {
	all := make([]string, len(results))
	for i, r := range results {
		all[i] = fmt.Sprint(status(r))
	}
	return strings.Join(all, " ")
}

// names lists the userNames of all users.
func (w world) names() map[string]string {
	w.t.Helper()
	l, err := w.d.List(w.t.Context(), w.a, schema.UserType(), directory.ListQuery{StartIndex: 1, Count: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]string{}
	for _, res := range l.Resources {
		name, _ := res.Doc["userName"].(string)
		all[name] = res.ID
	}
	return all
}

// TestSameCircleAtOnce sends the same request several times at once, with resources that refer to each other and can't
// all be created, because one of their names is taken, or is taken and given back all the time. No answer is a 404
// with the id of a missing resource, and if no run can create them, none is there at the end.
func TestSameCircleAtOnce(t *testing.T) {
	for _, flicker := range []bool{false, true} {
		for round := range 30 {
			w := on(t, nil)
			other := w.run(t.Context(), "other", 0, post(schema.UserType(), "o", user("b", "")))[0].ID
			ops := []bulk.Operation{
				post(schema.UserType(), "a", user("a", "bulkId:b")), post(schema.UserType(), "b", user("b",
					"bulkId:c")),
				post(schema.UserType(), "c", user("c", "bulkId:a")),
			}
			var g sync.WaitGroup
			answers := make([][]bulk.Result, 6)
			for i := range answers {
				g.Go(func() { answers[i] = w.run(t.Context(), "same", 0, ops...) })
			}
			if flicker {
				g.Go(func() {
					for i := range 6 {
						name := []string{"x", "b"}[i%2]
						rename := change(http.MethodPut, schema.UserType(), other, user(name, ""))
						w.run(t.Context(), fmt.Sprint("rename", i), 0, rename)
					}
				})
			}
			g.Wait()
			created := 0
			for _, results := range answers {
				for i, r := range results {
					switch status(r) {
					case 201:
						created++
					case 409, 503:
					default:
						t.Fatalf("flicker %v, round %d, operation %d: %d %v", flicker, round, i, status(r), r.Err)
					}
					if r.Err != nil && strings.Contains(r.Err.Error(), r.ID) {
						t.Fatalf("an answer names the id of what is not there: %v", r.Err)
					}
				}
			}
			if flicker {
				continue // chance decides which run fails and what remains of the last one
			}
			there := 0
			names := w.names()
			for _, name := range []string{"a", "b", "c"} {
				if id := names[name]; id != "" && id != other {
					there++
				}
			}
			if there != 0 && there != 3 || (there == 0) != (created == 0) {
				t.Fatalf("flicker %v, round %d: %d of the circle are there, %d were answered 201: %v", flicker, round,
					there, created, names)
			}
		}
	}
}

// TestDeletedByItsOwnRequestAtOnce sends the same request several times at once that creates a user and deletes it:
// each run creates it, also if it finds that another has deleted it already.
func TestDeletedByItsOwnRequestAtOnce(t *testing.T) {
	for range 20 {
		w := on(t, nil)
		ops := []bulk.Operation{
			post(schema.UserType(), "a", user("a", "")), change(http.MethodDelete, schema.UserType(), "bulkId:a", ""),
		}
		var g sync.WaitGroup
		for range 6 {
			g.Go(func() {
				// A run that comes when another is done gets a new id, and may meet the user of the one after that.
				results := w.run(t.Context(), "same", 0, ops...)
				if got := status(results[0]); got != 201 && got != 409 && got != 503 {
					t.Errorf("statuses %s: %v", statuses(results), results[0].Err)
				}
				if err := results[1].Err; status(results[1]) == 404 ||
					err != nil && strings.Contains(err.Error(), results[0].ID) {
					t.Errorf("the DELETE of what this request created: %v", err)
				}
			})
		}
		g.Wait()
		if names := w.names(); len(names) > 0 {
			t.Fatalf("left: %v", names)
		}
	}
}

// TestReferences creates resources that refer to others further down, in a circle, to one that fails and to none, with
// data that is decoded once, and with data that is so large that it is decoded when its turn comes. The results are
// the same.
func TestReferences(t *testing.T) {
	for _, padding := range []int{0, 300 << 10} {
		w := on(t, nil)
		pad := fmt.Sprintf(`,"title":%q}`, strings.Repeat("x", padding))
		padded := func(data string) string { return strings.TrimSuffix(data, "}") + pad }
		u, g := schema.UserType(), schema.GroupType()
		ops := []bulk.Operation{
			post(g, "team", group("team", "bulkId:ann", "bulkId:sub")),
			post(u, "ann", padded(user("ann", "bulkId:bob"))),
			post(u, "bob", padded(user("bob", "bulkId:ann"))),
			post(g, "sub", group("sub", "bulkId:cid")),
			post(u, "cid", padded(user("cid", ""))),
			post(u, "twin", padded(user("cid", ""))),
			post(g, "of twin", group("of twin", "bulkId:twin")),
			post(g, "of nobody", group("of nobody", "bulkId:nobody")),
			change(http.MethodPatch, g, "bulkId:team", `{"schemas":["`+scim.PatchOpURN+`"],"Operations":[`+
				`{"op":"remove","path":"members[value eq \"bulkId:ann\"]"}]}`),
			change(http.MethodDelete, u, "bulkId:twin", ""),
			{Method: http.MethodPost, Type: u, BulkID: "odd", Data: "{"},
		}
		results := w.run(t.Context(), "references", 0, ops...)
		if got, want := statuses(results), "201 201 201 201 201 409 409 400 200 409 400"; got != want {
			t.Fatalf("padding %d: statuses %s, want %s", padding, got, want)
		}
		team, err := w.d.Get(t.Context(), w.a, g, results[0].ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(scim.AppendJSON(nil, team.Doc["members"])); strings.Count(got,
			`"value"`) != 1 || !strings.Contains(got, results[3].ID) {
			t.Errorf("padding %d: members of team %s, want sub alone", padding, got)
		}
		ann, err := w.d.Get(t.Context(), w.a, u, results[1].ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(scim.AppendJSON(nil, ann.Doc)); !strings.Contains(got, `"value":"`+results[2].ID+`"`) {
			t.Errorf("padding %d: the manager of ann is not bob: %.300s", padding, got)
		}
		again := w.run(t.Context(), "references", 0, ops...)
		if got, want := statuses(again), statuses(results); got != want || again[0].ID != results[0].ID {
			t.Errorf("padding %d: repeated: %s, was %s", padding, got, want)
		}
	}
}

// TestFailOnErrors: nothing is carried out after the last error that is accepted, even if it has nothing to do with
// the error.
func TestFailOnErrors(t *testing.T) {
	for limit, want := range map[int]string{
		0: "201 409 201 409 201", 1: "201 409 0 0 0", 2: "201 409 201 409 0",
		3: "201 409 201 409 201",
	} {
		w := on(t, nil)
		var ops []bulk.Operation
		for i, name := range []string{"a", "a", "b", "a", "c"} {
			ops = append(ops, post(schema.UserType(), fmt.Sprint(i), user(name, "")))
		}
		if got := statuses(w.run(t.Context(), "limit", limit, ops...)); got != want {
			t.Errorf("limit %d: %s, want %s", limit, got, want)
		}
		if n := len(w.names()); n != strings.Count(want, "201") {
			t.Errorf("limit %d: %d users are there", limit, n)
		}
	}
}

// counting counts the calls of an engine.
type counting struct {
	store.Engine
	reads, writes *atomic.Int64
}

func (c counting) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	c.reads.Add(1)
	return c.Engine.Get(ctx, keys)
}

func (c counting) Query(ctx context.Context, q store.Query) (store.Page, error) {
	c.reads.Add(1)
	return c.Engine.Query(ctx, q)
}

func (c counting) Transact(ctx context.Context, token string, ops []store.Op) error {
	c.writes.Add(1)
	return c.Engine.Transact(ctx, token, ops)
}

// TestCalls counts the calls of the engine that an operation of a request takes, beside the few of the request.
func TestCalls(t *testing.T) {
	const n, around = 50, 2
	var reads, writes atomic.Int64
	w := on(t, func(e store.Engine) store.Engine { return counting{e, &reads, &writes} })
	ids := make([]string, n)
	u := schema.UserType()
	for _, c := range []struct {
		name          string
		reads, writes int64 // of an operation, at most
		operation     func(i int) bulk.Operation
	}{
		{"POST user", 0, 1, func(i int) bulk.Operation { return post(u, fmt.Sprint(i), user(fmt.Sprint("u", i), "")) }},
		{"PUT user", 1, 1, func(i int) bulk.Operation {
			return change(http.MethodPut, u, ids[i], user(fmt.Sprint("v",
				i), ""))
		}},
		{"PATCH user", 1, 1, func(i int) bulk.Operation {
			const op = `{"schemas":["` + scim.PatchOpURN + `"],"Operations":[{"op":"replace","path":"title","value":"x"}]}`
			return change(http.MethodPatch, u, ids[i], op)
		}},
		{"POST group", 2, 1, func(i int) bulk.Operation {
			return post(schema.GroupType(), fmt.Sprint(i), group(fmt.Sprint("g", i), ids[i]))
		}},
	} {
		ops := make([]bulk.Operation, n)
		for i := range ops {
			ops[i] = c.operation(i)
		}
		reads.Store(0)
		writes.Store(0)
		for i, r := range w.run(t.Context(), c.name, 0, ops...) {
			if r.Err != nil {
				t.Fatalf("%s: %v", c.name, r.Err)
			}
			if c.name == "POST user" {
				ids[i] = r.ID
			}
		}
		if r, wr := reads.Load(), writes.Load(); r > n*c.reads+around || wr > n*c.writes+around {
			t.Errorf("%s: %d reads and %d writes for %d operations", c.name, r, wr, n)
		}
	}
}
