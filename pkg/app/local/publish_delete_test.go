package local_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestDeletionEmptiesTheLog deletes a tenant whose log has several partitions, and makes it anew: nothing is left, and
// the new log tells of the new people alone, without a gap.
func TestDeletionEmptiesTheLog(t *testing.T) {
	engine := memory(t)
	a := on(t, engine, "generic")
	a.users(2 + store.LogPartitionSize/2)
	a.mustAdmin(200, "GET", "/members", "")
	if last := a.mustAdmin(200, "GET", "/events?count=1", "")["last"].(float64); last < store.LogPartitionSize {
		t.Fatalf("the log has %v events", last)
	}
	a.mustAdmin(202, "DELETE", "", "")
	token := a.anew()
	keys := store.KeysOf("acme")
	pk := keys.LogEntry(store.LogPartitionSize).PK
	page, err := engine.Query(t.Context(), store.Query{PK: pk})
	if err != nil || page.Count != 0 {
		t.Errorf("%s holds %d items, %v", pk, page.Count, err)
	}
	a.token = token
	for i := range 10 {
		id := a.user(fmt.Sprintf("new%d@example.com", i))
		a.mustAdmin(200, "GET", "/members/"+id, "")
	}
	for i, v := range a.mustAdmin(200, "GET", "/events?count=1000", "")["events"].([]any) {
		e := v.(object)
		if e["sequence"] != float64(i+1) {
			t.Errorf("event %d has the sequence %v", i+1, e["sequence"])
		}
		if !ofPeople(e) {
			continue
		}
		if name, _ := e["data"].(object)["member"].(object)["userName"].(string); !strings.HasPrefix(name, "new") {
			t.Errorf("event %d is about %s", i+1, name)
		}
	}
}

// anew creates the tenant again as soon as it is erased, and returns its token.
func (a *api) anew() string {
	a.t.Helper()
	for {
		_, token, err := a.s.Tenants().Create(a.t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"})
		if err == nil {
			return token.Value
		}
		if !errors.Is(err, tenant.ErrExists) {
			a.t.Fatal(err)
		}
		runtime.Gosched()
	}
}

// TestDeletionTwiceAtOnce erases a deleted tenant in two places at once, and makes it anew as soon as one is done: the
// other removes nothing of the new one.
func TestDeletionTwiceAtOnce(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.users(100)
	for range 2 {
		a.mustAdmin(202, "DELETE", "", "")
		var g task.Group
		for range 2 {
			g.Go(func() error { return a.s.Settle(t.Context()) })
		}
		a.token = a.anew()
		ids := a.users(100)
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
		if total := a.must(200, "GET", "/Users?count=0", "")["totalResults"]; total != 100.0 {
			t.Fatalf("the new tenant has %v users of 100", total)
		}
		for _, id := range ids {
			a.mustAdmin(200, "GET", "/members/"+id, "")
		}
	}
}
