package local_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// bill adds up the costs of all calls of an engine, those of the background as well.
type bill struct {
	store.Engine
	mu    sync.Mutex
	total store.Cost
}

func (b *bill) charge(ctx context.Context) (context.Context, func()) {
	ctx, m := store.WithMeter(ctx)
	return ctx, func() {
		c := m.Total()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.total.Calls += c.Calls
		b.total.ReadUnits += c.ReadUnits
		b.total.WriteUnits += c.WriteUnits
	}
}

func (b *bill) units() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.total.ReadUnits + b.total.WriteUnits
}

func (b *bill) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	ctx, done := b.charge(ctx)
	defer done()
	return b.Engine.Get(ctx, keys)
}

func (b *bill) Query(ctx context.Context, q store.Query) (store.Page, error) {
	ctx, done := b.charge(ctx)
	defer done()
	return b.Engine.Query(ctx, q)
}

func (b *bill) Transact(ctx context.Context, token string, ops []store.Op) error {
	ctx, done := b.charge(ctx)
	defer done()
	return b.Engine.Transact(ctx, token, ops)
}

func (b *bill) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	ctx, done := b.charge(ctx)
	defer done()
	return b.Engine.Batch(ctx, ops)
}

// TestPublishingTogether has one client, and then 16, change users and read the members in turn: the 16 cost at most
// twice the units a change.
func TestPublishingTogether(t *testing.T) {
	each := func(clients, changes int) float64 {
		b := &bill{Engine: memory(t)}
		a := on(t, b, "generic")
		ids := a.users(clients)
		a.mustAdmin(200, "GET", "/members", "")
		before := b.units()
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				for n := range changes {
					title := fmt.Sprint("t", n)
					a.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"displayName","value":"`+title+`"}`))
					m := a.mustAdmin(200, "GET", "/members/"+id, "")
					if m["displayName"] != title || m["pending"] != nil {
						t.Errorf("behind the change to %s: %v", title, m)
					}
				}
			})
		}
		wg.Wait()
		if err := a.s.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		return (b.units() - before) / float64(clients*changes)
	}
	one, sixteen := each(1, 32), each(16, 8)
	t.Logf("units a change and read: %.1f alone, %.1f among 16", one, sixteen)
	if sixteen > 2*one {
		t.Errorf("16 clients cost %.1f units a change, one costs %.1f", sixteen, one)
	}
}

// reads counts how often the document of a policy is read.
type reads struct {
	store.Engine
	policies atomic.Int64
}

func (r *reads) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	if slices.Contains(keys, store.KeysOf("acme").Policy()) {
		r.policies.Add(1)
	}
	return r.Engine.Get(ctx, keys)
}

// TestPolicyIsReadOnce: publishing reads the document of a policy once in a process after it was saved, not for each
// member or change. Saved again, it is read again, and applied.
func TestPolicyIsReadOnce(t *testing.T) {
	r := &reads{Engine: memory(t)}
	a := on(t, r, "generic")
	ids := a.users(5)
	for version := 1; version <= 2; version++ {
		policy := `{"members":{"attributes":{"title":{"from":"title"},"login":{"from":"userName"}}}}`
		if version == 2 {
			policy = `{"members":{"attributes":{"title":{"from":"title"}}}}`
		}
		a.mustAdmin(200, "PUT", "/policy", policy)
		if err := a.s.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.mustAdmin(200, "GET", "/members/"+ids[0], "")
		a.must(200, "PATCH", "/Users/"+ids[0], patchBody(`{"op":"replace","path":"title","value":"first"}`)) // SCIM reads it
		before := r.policies.Load()
		for _, id := range ids {
			title := fmt.Sprint("Title ", version)
			a.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"`+title+`"}`))
			m := a.mustAdmin(200, "GET", "/members/"+id, "")
			if got := m["attributes"].(map[string]any)["title"]; got != title {
				t.Errorf("the title is %v, want %s", got, title)
			}
		}
		if n := r.policies.Load() - before; n != 0 {
			t.Errorf("version %d was read %d times more", version, n)
		}
		status := a.mustAdmin(200, "GET", "/policy/status", "")
		if applied := status["applied"].(map[string]any)["version"]; fmt.Sprint(applied) != fmt.Sprint(version) {
			t.Errorf("applied is version %v, want %d", applied, version)
		}
	}
}

// TestMarkersCost compares the cost of a request in a tenant that publishes members with one that does not: two write
// units more for each of up to 20 subjects, two for the group if there are more, and no call.
func TestMarkersCost(t *testing.T) {
	s := metered(t)
	cost := func(a *api, method, path, body string) spent {
		t.Helper()
		r := httptest.NewRequest(method, a.base+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+a.token)
		r.Header.Set("Content-Type", "application/scim+json")
		w := httptest.NewRecorder()
		a.h.ServeHTTP(w, r)
		var c spent
		if _, err := fmt.Sscanf(w.Header().Get("Scim-Cost"), "calls=%d, read=%f, write=%f", &c.calls, &c.read,
			&c.write); err != nil || w.Code >= 300 {
			t.Fatalf("%s %s: status %d, Scim-Cost %q: %s", method, path, w.Code, w.Header().Get("Scim-Cost"), w.Body)
		}
		return c
	}
	sides := map[bool]*api{}
	ids, groups := map[bool][]string{}, map[bool]string{}
	for _, publish := range []bool{true, false} {
		a := tenantOn(t, s, fmt.Sprint("publish-", publish), "generic")
		a.tenant = fmt.Sprint("publish-", publish)
		a.mustAdmin(200, "PATCH", "", fmt.Sprintf(`{"settings":{"members":{"publish":%t}}}`, publish))
		sides[publish], ids[publish] = a, a.users(45)
		groups[publish] = a.group("Editors", ids[publish][44:])
	}
	for _, c := range []struct {
		what, method, path, body string // {user}, {group}, and {20} and {21} other users
		more                     float64
	}{
		{"create a user", "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"new"}`, 2},
		{"change a user", "PATCH", "/Users/{user}", patchBody(`{"op":"replace","path":"title","value":"x"}`), 2},
		{"add a member", "PATCH", "/Groups/{group}", patchBody(`{"op":"add","path":"members","value":[{"value":"{user}"}]}`), 2},
		{"add 20 members", "PATCH", "/Groups/{group}", patchBody(`{"op":"add","path":"members","value":{20}}`), 40},
		{"add 21 members", "PATCH", "/Groups/{group}", patchBody(`{"op":"add","path":"members","value":{21}}`), 2},
		{"rename a group", "PATCH", "/Groups/{group}", patchBody(`{"op":"replace","path":"displayName","value":"Authors"}`), 2},
		{"delete a user", "DELETE", "/Users/{user}", "", 2},
	} {
		got := map[bool]spent{}
		for publish, a := range sides {
			all := ids[publish]
			fill := strings.NewReplacer("{user}", all[0], "{group}", groups[publish], "{20}", members(all[1:21]),
				"{21}", members(all[21:42]))
			got[publish] = cost(a, c.method, fill.Replace(c.path), fill.Replace(c.body))
		}
		on, off := got[true], got[false]
		if on.write-off.write != c.more || on.calls != off.calls {
			t.Errorf("%s: %+v with members, %+v without: want %v write units more", c.what, on, off, c.more)
		}
	}
}

// full counts transactions, and the operations in them, but for small ones.
type full struct {
	store.Engine
	count, ops atomic.Int64
}

func (f *full) Transact(ctx context.Context, token string, ops []store.Op) error {
	if len(ops) > 10 {
		f.count.Add(1)
		f.ops.Add(int64(len(ops)))
	}
	return f.Engine.Transact(ctx, token, ops)
}

// TestPublishingFillsTransactions: members who are published together share as few transactions as can take them. Each
// member of the test has some six operations, so that halving the members until they fit would take one more.
func TestPublishingFillsTransactions(t *testing.T) {
	f := &full{Engine: memory(t)}
	a := on(t, f, "generic")
	a.users(49)
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.count.Store(0)
	f.ops.Store(0)
	a.mustAdmin(200, "PUT", "/policy", `{
		"kinds": {"role": {"create": true}},
		"rules": [{"id": "all", "user": {"filter": "active ne false"}, "assign": {"kind": "role", "target": "user"}}]}`)
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	count, ops := f.count.Load(), f.ops.Load()
	if least := (ops + store.MaxTransactOps - 1) / store.MaxTransactOps; count == 0 || count > least {
		t.Errorf("%d operations took %d transactions instead of %d", ops, count, least)
	}
}
