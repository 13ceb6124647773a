// Package filled creates a tenant that has something of every kind that the table knows, by requests, and copies
// tables.
package filled

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Object is JSON.
type Object = map[string]any

// World is a server and a tenant on it.
type World struct {
	T      testing.TB
	Server *local.Server
	Tenant string
	Token  string
}

// Memory is an empty engine.
func Memory(t testing.TB) *boltstore.Engine {
	t.Helper()
	e, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// Open is a server on an engine, for a tenant that is there.
func Open(t testing.TB, engine store.Engine, id, token string) *World {
	t.Helper()
	return OpenAt(t, engine, id, token, nil)
}

// OpenAt is Open with a clock; nil is time.Now.
func OpenAt(t testing.TB, engine store.Engine, id, token string, now func() time.Time) *World {
	t.Helper()
	s := local.New(local.Options{
		Now:    now,
		Engine: "bolt", Data: boltstore.Memory, Log: io.Discard, Out: io.Discard,
		MaxScan: time.Minute, MaxWait: time.Minute,
	}, engine, io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	return &World{T: t, Server: s, Tenant: id, Token: token}
}

// New is a server on an engine with a new tenant, which is empty.
func New(t testing.TB, engine store.Engine, id string) *World {
	t.Helper()
	w := Open(t, engine, id, "")
	_, token, err := w.Server.Tenants().Create(t.Context(), tenant.NewTenant{ID: id, Name: "Acme", IdP: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	w.Token = token.Value
	return w
}

// SCIM sends a request of the identity provider. It ends the test if the status is of another class.
func (w *World) SCIM(status int, method, path, body string) Object {
	w.T.Helper()
	got, out := w.Try(method, path, body)
	if got/100 != status/100 {
		w.T.Fatalf("%s %s: status %d, want %d: %v", method, path, got, status, out)
	}
	return out
}

// Try sends a request of the identity provider.
func (w *World) Try(method, path, body string) (int, Object) {
	r := httptest.NewRequest(method, "http://scim.example.com/scim/v2/"+w.Tenant+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.Token)
	r.Header.Set("Content-Type", "application/scim+json")
	return w.serve(r)
}

// Admin sends a request of the operator about the tenant.
func (w *World) Admin(status int, method, path, body string) Object {
	w.T.Helper()
	r := httptest.NewRequest(method, "http://localhost/admin/v1/tenants/"+w.Tenant+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", "application/json")
	got, out := w.serve(r)
	if got/100 != status/100 {
		w.T.Fatalf("%s %s: status %d, want %d: %v", method, path, got, status, out)
	}
	return out
}

func (w *World) serve(r *http.Request) (int, Object) {
	answer := httptest.NewRecorder()
	w.Server.Handler().ServeHTTP(answer, r)
	var out Object
	_ = json.Unmarshal(answer.Body.Bytes(), &out) // none is fine: the status says enough
	return answer.Code, out
}

// UserURN and GroupURN are the schemas of bodies.
const (
	UserURN  = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`
	GroupURN = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]`
)

// User makes a user; more is JSON of further attributes, such as `,"title":"x"`.
func (w *World) User(name, more string) string {
	w.T.Helper()
	body := fmt.Sprintf(`{%s,"userName":%q,"active":true%s}`, UserURN, name, more)
	return w.SCIM(201, "POST", "/Users", body)["id"].(string)
}

// Group creates a group of members.
func (w *World) Group(name string, members ...string) string {
	w.T.Helper()
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = fmt.Sprintf(`{"value":%q}`, m)
	}
	body := fmt.Sprintf(`{%s,"displayName":%q,"externalId":"g-%s","members":[%s]}`,
		GroupURN, name, name, strings.Join(list, ","))
	return w.SCIM(201, "POST", "/Groups", body)["id"].(string)
}

const policy = `{"members":{"onDelete":"deactivate"},
	"kinds":{"licence":{"seats":"wait"},"team":{"create":true,"manual":"remove"},"role":{"create":true}},
	"rules":[{"id":"l","group":{"pattern":"^Writers$"},"assign":{"kind":"licence","target":"pro"}},
		{"id":"t","group":{"pattern":"^Team (?P<n>.+)$"},"assign":{"kind":"team","target":"${n}"}}]}`

const enterprise = `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`

// Fill gives the tenant something of every kind, and calls Settle.
func (w *World) Fill() {
	w.T.Helper()
	w.Admin(200, "PATCH", "", `{"settings":{"scim":{"uniqueGroupNames":true}}}`)
	w.Admin(200, "PUT", "/schemas/urn:example:scim:schemas:extension:badge:2.0:User",
		`{"attributes":[{"name":"number","uniqueness":"server"}]}`)
	w.Admin(200, "PUT", "/schemas/urn:example:scim:schemas:2.0:Device",
		`{"attributes":[{"name":"serial","required":true}]}`)
	w.Admin(200, "PUT", "/resource-types/Device",
		`{"endpoint":"/Devices","schema":"urn:example:scim:schemas:2.0:Device"}`)
	w.Admin(200, "PUT", "/resource-types/User", `{"schemaExtensions":[
		{"schema":"urn:example:scim:schemas:extension:badge:2.0:User","required":false}]}`)
	w.Admin(200, "PUT", "/policy", policy)
	w.Admin(201, "POST", "/domains", `{"name":"example.com"}`)
	w.Admin(200, "POST", "/domains/example.com/verify", `{"override":true}`)
	w.Admin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":2}}`)
	w.Admin(201, "POST", "/clients", `{"name":"Console"}`)
	w.Admin(200, "POST", "/accounts",
		`{"accounts":[{"accountId":"a-0","userName":"user-0"},{"accountId":"a-9","userName":"nobody"}]}`)
	var ids []string
	for i := range 6 {
		more := fmt.Sprintf(`,"externalId":"x-%d","emails":[{"value":"u%d@example.com","type":"work"},
			{"value":"U%d@example.com","type":"home"}]`, i, i, i)
		switch i {
		case 1:
			more += fmt.Sprintf(`,%s:{"manager":{"value":%q}}`, enterprise, ids[0])
		case 2:
			more += fmt.Sprintf(`,%s:{"manager":{"value":"boss"}}`, enterprise)
		case 3:
			more += `,"urn:example:scim:schemas:extension:badge:2.0:User":{"number":"7"}`
		}
		ids = append(ids, w.User(fmt.Sprintf("user-%d", i), more))
	}
	w.Group("Writers", ids[0], ids[1], ids[2])
	team := w.Group("Team Blue", ids[3], "a-stranger")
	w.Group("All", team, ids[4])
	w.SCIM(201, "POST", "/Devices",
		`{"schemas":["urn:example:scim:schemas:2.0:Device"],"serial":"s1","externalId":"d1"}`)
	w.Settle()
	w.Admin(200, "PUT", "/members/"+ids[4]+"/assignments/role/admin", "")
	w.SCIM(204, "DELETE", "/Users/"+ids[5], "")
	w.SCIM(200, "GET", "/Users?startIndex=2&count=1", "")
	w.Settle()
	w.Admin(200, "GET", "/members?count=100", "")
}

// Settle carries out all pending background work.
func (w *World) Settle() {
	w.T.Helper()
	if err := w.Server.Settle(w.T.Context()); err != nil {
		w.T.Fatal(err)
	}
}

// Items are all items of an engine.
func Items(t testing.TB, engine *boltstore.Engine) []store.Item {
	t.Helper()
	ctx, st := context.Background(), store.New(engine, store.Options{})
	var all []store.Item
	for after := (store.Key{}); ; {
		keys, next, err := engine.Scan(ctx, after)
		if err != nil {
			t.Fatal(err)
		}
		items, err := st.Get(ctx, keys...)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			if item.Attrs != nil {
				all = append(all, item)
			}
		}
		if after = next; next == (store.Key{}) {
			return all
		}
	}
}

// Load puts items into an engine.
func Load(t testing.TB, engine store.Engine, items []store.Item) {
	t.Helper()
	ops := make([]store.Op, len(items))
	for i, item := range items {
		ops[i] = store.Op{Kind: store.Put, Key: item.Key, Set: item.Attrs}
	}
	if err := store.New(engine, store.Options{MaxWait: time.Minute}).Batch(context.Background(), ops...); err != nil {
		t.Fatal(err)
	}
}

// Clients has n clients do one step after the other until stop is called, which waits for them. ahead waits until so
// many steps more are done.
func Clients(n int, step func(client, i int)) (ahead func(steps int), stop func()) {
	ended, done := make(chan struct{}), make(chan struct{}, 1000)
	var clients sync.WaitGroup
	for c := range n {
		clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-ended:
					return
				default:
				}
				step(c, i)
				select {
				case done <- struct{}{}:
				default:
				}
			}
		})
	}
	ahead = func(steps int) {
		for range steps {
			<-done
		}
	}
	return ahead, func() { close(ended); clients.Wait() }
}
