package local_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
)

// TestGuardOnDynamoDB has 8 clients deactivate and delete at once, on DynamoDB Local: exactly as many as allowed pass,
// and all once a person allows it.
func TestGuardOnDynamoDB(t *testing.T) {
	slow.Test(t, "DynamoDB Local takes some seconds; TestGuardUnderRaces does the same on the embedded engine")
	client := dynamolocal.Client(t)
	a := on(t, dynamostore.New(client, dynamolocal.Table(t, client)), "generic")
	a.guarded(`{"people":3,"percent":10}`)
	ids := a.users(12)
	var passed atomic.Int64
	var wg sync.WaitGroup
	for i, id := range ids[:8] {
		wg.Go(func() {
			if a.take(id, i%2 == 0) {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	state := a.mustAdmin(200, "GET", "/guard", "")
	if held := len(state["held"].([]any)); passed.Load() != 3 || held != 5 || state["tripped"] != true {
		t.Errorf("%d passed, want 3; the guard is %v", passed.Load(), state)
	}
	if n := len(a.toldBy("guard.tripped")); n != 1 {
		t.Errorf("tripped %d times", n)
	}
	a.mustAdmin(200, "POST", "/guard", `{"decision":"allow","minutes":5}`)
	for i, id := range ids[8:] {
		if !a.take(id, i%2 == 0) {
			t.Error("held although it is allowed")
		}
	}
}
