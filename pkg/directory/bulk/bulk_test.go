package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
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

// on makes a world on an engine that wrap puts around the one in memory; nil for that itself.
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
	results, err := bulk.Run(ctx, w.d, w.a, append([]bulk.Operation(nil), ops...), bulk.Options{FailOnErrors: limit, Request: []byte(name)})
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

// TestSameCircleAtOnce sends the same request several times at once, with resources that refer to each other and can't all be
// created, because one of their names is taken, or is taken and given back all the time. No answer is a 404 with the id of what
// is not there, and if no run can create them, none is there at the end.
func TestSameCircleAtOnce(t *testing.T) {
	for _, flicker := range []bool{false, true} {
		for round := range 30 {
			w := on(t, nil)
			other := w.run(t.Context(), "other", 0, post(schema.UserType(), "o", user("b", "")))[0].ID
			ops := []bulk.Operation{
				post(schema.UserType(), "a", user("a", "bulkId:b")), post(schema.UserType(), "b", user("b", "bulkId:c")),
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
				continue // which run fails is a matter of chance, and so is what the last one leaves
			}
			there := 0
			names := w.names()
			for _, name := range []string{"a", "b", "c"} {
				if id := names[name]; id != "" && id != other {
					there++
				}
			}
			if there != 0 && there != 3 || (there == 0) != (created == 0) {
				t.Fatalf("flicker %v, round %d: %d of the circle are there, %d were answered 201: %v", flicker, round, there, created, names)
			}
		}
	}
}

// TestDeletedByItsOwnRequestAtOnce sends the same request several times at once that creates a user and deletes it: each run
// creates it, also if it finds that another has deleted it already.
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
			})
		}
		g.Wait()
		if names := w.names(); len(names) > 0 {
			t.Fatalf("left: %v", names)
		}
	}
}
