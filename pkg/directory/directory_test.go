package directory_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

var (
	user  = schema.UserType()
	group = schema.GroupType()

	membership = schema.MembershipType()
)

type object = scim.Object

// world is a directory of one tenant on an engine, whose table can be looked at.
type world struct {
	t      testing.TB
	engine store.Engine
	dir    *directory.Directory
	tenant directory.Tenant

	clock func() time.Time
	// killed says that a request was killed: chunks that nobody looks at may be left.
	killed bool

	mu   sync.Mutex
	late bool // the directory left work for the background
}

func memory(t testing.TB) *boltstore.Engine {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

// on creates a directory on an engine, for a tenant of profile idp.
func on(t testing.TB, engine store.Engine, idp string) *world {
	t.Helper()
	dialect, ok := scim.DialectOf(idp)
	if !ok {
		t.Fatalf("no profile %s", idp)
	}
	w := &world{t: t, engine: engine, clock: time.Now, tenant: directory.Tenant{
		ID: "acme", BaseURL: "https://scim.example.com/scim/v2/acme", Dialect: dialect, CursorKey: []byte("key"),
	}}
	w.restart()
	return w
}

// patience is how long tests wait for work. Clients don't wait that long, but machines that run tests are busy.
const patience = 5 * time.Minute

// restart creates a new directory on the same engine.
func (w *world) restart() {
	st := store.New(w.engine, store.Options{BaseDelay: 100 * time.Microsecond, MaxWait: patience})
	w.dir = directory.New(st, directory.Options{
		Now: w.clock, MaxScan: patience, MaxWait: patience,
		Background: func(string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.late = true
		},
	})
}

// background reports whether work was left for the background since the last call.
func (w *world) background() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	late := w.late
	w.late = false
	return late
}

func in(t testing.TB) *world {
	t.Helper()
	return on(t, memory(t), "entra")
}

func parse(t testing.TB, body string) object {
	t.Helper()
	o, err := scim.ParseObject([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return o
}

// status is the HTTP status that an error comes to.
func status(err error) int {
	var e *scim.Error
	switch {
	case err == nil:
		return 200
	case errors.As(err, &e):
		return e.Status
	case directory.IsBusy(err):
		return 503
	}
	return 500
}

func (w *world) create(rt *schema.ResourceType, body string) (directory.Resource, error) {
	return w.dir.Create(context.Background(), w.tenant, rt, parse(w.t, body), nil)
}

func (w *world) put(rt *schema.ResourceType, id, body string, ifMatch ...string) (directory.Resource, error) {
	return w.dir.Replace(context.Background(), w.tenant, rt, id, parse(w.t, body),
		directory.PatchOptions{IfMatch: ifMatch})
}

func (w *world) operations(ops string) []patch.Operation {
	w.t.Helper()
	list, err := patch.Parse(parse(w.t, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+ops+
		`]}`), w.tenant.Dialect)
	if err != nil {
		w.t.Fatalf("%s: %v", ops, err)
	}
	return list
}

func (w *world) patch(rt *schema.ResourceType, id, ops string, ifMatch ...string) (directory.Resource, error) {
	w.t.Helper()
	res, _, err := w.dir.Patch(context.Background(), w.tenant, rt, id, w.operations(ops),
		directory.PatchOptions{IfMatch: ifMatch, Body: directory.NoBody})
	return res, err
}

func (w *world) remove(rt *schema.ResourceType, id string) error {
	return w.dir.Delete(context.Background(), w.tenant, rt, id, nil)
}

func (w *world) get(rt *schema.ResourceType, id string) directory.Resource {
	w.t.Helper()
	res, err := w.dir.Get(context.Background(), w.tenant, rt, id, nil)
	if err != nil {
		w.t.Fatalf("get %s %s: %v", rt.ID, id, err)
	}
	return res
}

// ok fails the test on any error.
func (w *world) ok(_ any, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func userBody(name string, more ...string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%s%s}`, quoted(name),
		strings.Join(append([]string{""}, more...), ","))
}

func managed(manager string) string {
	return fmt.Sprintf(`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":%s}}`,
		quoted(manager))
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func listed(values ...string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = `{"value":` + quoted(v) + `}`
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func groupBody(name string, values ...string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%s,"members":%s}`,
		quoted(name), listed(values...))
}

func add(values ...string) string {
	return `{"op":"add","path":"members","value":` + listed(values...) + `}`
}

func drop(values ...string) string {
	return `{"op":"remove","path":"members","value":` + listed(values...) + `}`
}

func (w *world) user(name string, more ...string) string {
	w.t.Helper()
	res, err := w.create(user, userBody(name, more...))
	if err != nil {
		w.t.Fatalf("create user %q: %v", name, err)
	}
	return res.ID
}

// users creates n users, several at a time.
func (w *world) users(n int) []string {
	w.t.Helper()
	ids := make([]string, n)
	together(16, func(k int) {
		for i := k; i < n; i += 16 {
			res, err := w.create(user, userBody(fmt.Sprintf("user-%05d", i)))
			if err != nil {
				w.t.Errorf("create user %d: %v", i, err)
			}
			ids[i] = res.ID
		}
	})
	return ids
}

func (w *world) group(name string, values ...string) string {
	w.t.Helper()
	res, err := w.create(group, groupBody(name, values...))
	if err != nil {
		w.t.Fatalf("create group %q: %v", name, err)
	}
	return res.ID
}

// members returns the member values of a group, sorted.
func (w *world) members(id string) []string {
	w.t.Helper()
	return values(w.get(group, id).Doc["members"])
}

// groups returns the ids of the groups of a user, sorted.
func (w *world) groups(id string) []string {
	w.t.Helper()
	return values(w.get(user, id).Doc["groups"])
}

func values(list any) []string {
	out := []string{}
	elements, _ := decoded(list).([]any)
	for _, e := range elements {
		out = append(out, e.(object)["value"].(string))
	}
	slices.Sort(out)
	return out
}

// decoded is a value of a document, also if that is JSON already.
func decoded(v any) any {
	text, ok := v.(scim.Encoded)
	if !ok {
		return v
	}
	doc, err := scim.ParseObject([]byte(`{"v":` + string(text) + `}`))
	if err != nil {
		return err
	}
	return doc["v"]
}

func sorted(values ...string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return values
}

func (w *world) same(what string, got, want []string) {
	w.t.Helper()
	if want = sorted(want...); !slices.Equal(got, want) {
		if len(got)+len(want) < 20 {
			w.t.Errorf("%s: got %q, want %q", what, got, want)
		} else {
			w.t.Errorf("%s: got %d, want %d", what, len(got), len(want))
		}
	}
}

type schemaType = schema.ResourceType

// found counts the resources that a filter finds.
func (w *world) found(rt *schema.ResourceType, expr string) int {
	w.t.Helper()
	return len(w.ids(rt, expr))
}

// ids are the ids of the resources that a filter finds.
func (w *world) ids(rt *schema.ResourceType, expr string) []string {
	w.t.Helper()
	e, err := filter.Parse(expr, w.tenant.Dialect)
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := w.dir.List(context.Background(), w.tenant, rt, directory.ListQuery{
		Filter: e, StartIndex: 1, Count: 100,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ids := []string{}
	for _, res := range list.Resources {
		ids = append(ids, res.ID)
	}
	return ids
}

// together runs n goroutines and waits for them.
func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}
