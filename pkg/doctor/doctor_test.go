package doctor_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// examine runs a doctor over an engine, and returns the findings of its last pass.
func examine(t testing.TB, engine store.Engine, repair bool) (all []doctor.Finding, sum doctor.Sum) {
	t.Helper()
	d := doctor.New(store.New(engine, store.Options{}), doctor.Options{
		Repair: repair, Finding: func(f doctor.Finding) { all = append(all, f) },
	})
	if err := d.All(context.Background(), engine); err != nil {
		t.Fatal(err)
	}
	return all, d.Sum()
}

// TestSoundTable finds nothing in a table as requests leave it.
func TestSoundTable(t *testing.T) {
	engine := filled.Memory(t)
	w := filled.New(t, engine, "acme")
	all, _ := examine(t, engine, false)
	for _, f := range all {
		t.Errorf("empty: %+v", f)
	}
	w.Fill()
	all, sum := examine(t, engine, false)
	for _, f := range all {
		t.Errorf("filled: %+v", f)
	}
	if sum.Tenants != 1 || sum.Items < 100 || sum.Changing != 0 {
		t.Errorf("%+v", sum)
	}
	t.Logf("%+v", sum)
	kinds := map[string]int{}
	for _, item := range filled.Items(t, engine) {
		kinds[item.PK]++
	}
	t.Log(kinds)
}

// TestLiveTable finds nothing in a table that 8 clients write to, and that publishes and rolls forward meanwhile.
func TestLiveTable(t *testing.T) {
	engine := filled.Memory(t)
	w := filled.New(t, engine, "acme")
	w.Fill()
	shared := w.Group("shared")
	var clients sync.WaitGroup
	var busy atomic.Int64
	for c := range 8 {
		busy.Add(1)
		clients.Add(1)
		go func() {
			defer clients.Done()
			defer busy.Add(-1)
			for i := range 6 {
				name := fmt.Sprintf("c%d-%d", c, i)
				_, u := w.Try("POST", "/Users", fmt.Sprintf(`{%s,"userName":%q,"externalId":%q,"active":true}`, filled.UserURN,
					name, name))
				id, _ := u["id"].(string)
				join := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
					{"op":"add","path":"members","value":[{"value":%q},{"value":"later-%d"}]}]}`, id, i)
				_, _ = w.Try("PATCH", "/Groups/"+shared, join)
				if i%3 == 0 {
					_, _ = w.Try("DELETE", "/Users/"+id, "")
				}
			}
		}()
	}
	runs := 0
	for ; busy.Load() > 0; runs++ {
		all, _ := examine(t, engine, runs%2 == 1)
		for _, f := range all {
			t.Errorf("%+v", f)
		}
	}
	clients.Wait()
	w.Settle()
	all, sum := examine(t, engine, false)
	for _, f := range all {
		t.Errorf("settled: %+v", f)
	}
	t.Logf("%d runs beside the clients, then %+v", runs, sum)
}
