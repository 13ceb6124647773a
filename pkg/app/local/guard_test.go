package local_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// deactivate asks for the deactivation of a user and returns the status.
func (a *api) deactivate(id string) int {
	a.t.Helper()
	status, _ := a.do("PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"active","value":false}`))
	return status
}

// toldBy publishes the waiting events, and lists the data of those of a type.
func (a *api) toldBy(kind string) []object {
	a.t.Helper()
	a.mustAdmin(200, "GET", "/members", "")
	return a.told(kind)
}

// guarded saves a policy with a guard.
func (a *api) guarded(guard string) {
	a.t.Helper()
	a.mustAdmin(200, "PUT", "/policy", `{"requests":{"guard":`+guard+`}}`)
}

// TestGuardTrips holds deactivations and deletions beyond the bound, and nothing else, until a person decides.
func TestGuardTrips(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.guarded(`{"people":3,"minutes":60}`)
	ids := a.users(8)
	for i := range 2 {
		if status := a.deactivate(ids[i]); status != 200 {
			t.Fatalf("deactivation %d: %d", i, status)
		}
	}
	a.setActive(ids[1], true)
	a.must(204, "DELETE", "/Users/"+ids[1], "") // counts once
	a.must(200, "PUT", "/Users/"+ids[2],
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"third","active":false}`)
	for range 2 {
		r := httptest.NewRequest("DELETE", a.base+"/Users/"+ids[3], nil)
		r.Header.Set("Authorization", "Bearer "+a.token)
		w := httptest.NewRecorder()
		a.h.ServeHTTP(w, r)
		if w.Code != 503 || w.Header().Get("Retry-After") != "300" {
			t.Errorf("one too many: %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
		}
	}
	if status := a.deactivate(ids[4]); status != 503 {
		t.Errorf("one more: %d", status)
	}
	if status, _ := a.do("PUT", "/Users/"+ids[4],
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"fifth","active":false}`); status != 503 {
		t.Errorf("by PUT: %d", status)
	}
	// Nothing else waits.
	a.must(200, "PATCH", "/Users/"+ids[4], patchBody(`{"op":"replace","path":"title","value":"Nurse"}`))
	a.setActive(ids[0], true)
	a.user("one more")
	answer := a.must(200, "POST", "/Bulk", fmt.Sprintf(
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"DELETE","path":"/Users/%s"},{"method":"POST","path":"/Users","bulkId":"b","data":
		{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"by bulk"}}]}`, ids[5]))
	var statuses []any
	for _, o := range answer["Operations"].([]any) {
		statuses = append(statuses, o.(object)["status"])
	}
	if fmt.Sprint(statuses) != "[503 201]" {
		t.Errorf("in bulk: %v", statuses)
	}
	state := a.mustAdmin(200, "GET", "/guard", "")
	held := map[string]string{}
	for _, h := range state["held"].([]any) {
		held[h.(object)["member"].(string)] = h.(object)["action"].(string)
	}
	want := map[string]string{ids[3]: "delete", ids[4]: "deactivate", ids[5]: "delete"}
	if state["tripped"] != true || state["since"] == nil || fmt.Sprint(held) != fmt.Sprint(want) {
		t.Errorf("the guard is %v", state)
	}
	if told := a.toldBy("guard.tripped"); len(told) != 1 || told[0]["users"] != float64(3) {
		t.Errorf("told of %v", told)
	}
	if notices := fmt.Sprint(a.mustAdmin(200, "GET", "/notices", "")); strings.Count(notices, "guard-tripped") != 1 {
		t.Errorf("notices: %s", notices)
	}
	a.mustAdmin(400, "POST", "/guard", `{"decision":"perhaps"}`)
	a.mustAdmin(400, "POST", "/guard", `{"decision":"reject","minutes":5}`)
	a.mustAdmin(400, "POST", "/guard", `{"decision":"allow","minutes":0}`)
	a.mustAdmin(200, "POST", "/guard", `{"decision":"reject"}`)
	if status := a.deactivate(ids[4]); status != 503 {
		t.Errorf("rejected: %d", status)
	}
	if state := a.mustAdmin(200, "POST", "/guard", `{"decision":"allow"}`); state["tripped"] != false ||
		state["allowedUntil"] == nil {
		t.Errorf("allowed: %v", state)
	}
	for _, id := range ids[3:] {
		a.must(204, "DELETE", "/Users/"+id, "")
	}
	if told := a.toldBy("guard.decided"); len(told) != 2 || told[0]["decision"] != "reject" ||
		told[1]["decision"] != "allow" {
		t.Errorf("told of %v", told)
	}
}

// take deletes or deactivates a user, and reports whether that passed; else the guard must hold it.
func (a *api) take(id string, deletes bool) bool {
	a.t.Helper()
	status, good := 0, 200
	if deletes {
		good = 204
		status, _ = a.do("DELETE", "/Users/"+id, "")
	} else {
		status = a.deactivate(id)
	}
	if status != good && status != 503 {
		a.t.Errorf("status %d", status)
	}
	return status == good
}

// TestGuardUnderRaces has 16 clients deactivate and delete at once: exactly as many as allowed pass.
func TestGuardUnderRaces(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.guarded(`{"people":7}`)
	ids := a.users(48)
	var passed atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for k, id := range ids[i*3 : i*3+3] {
				if a.take(id, k == 1) {
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	gone := 0
	for _, id := range ids {
		if status, user := a.do("GET", "/Users/"+id, ""); status == 404 || user["active"] == false {
			gone++
		}
	}
	if gone != 7 || passed.Load() != 7 {
		t.Errorf("%d users are gone, %d requests passed, want 7", gone, passed.Load())
	}
	if told := a.toldBy("guard.tripped"); len(told) != 1 {
		t.Errorf("tripped %d times", len(told))
	}
}

// TestGuardEndsByItself refuses as long as requests come, and counts from nothing once none has come for the time of
// the guard. Users count for that time.
func TestGuardEndsByItself(t *testing.T) {
	var passed atomic.Int64 // nanoseconds since someDay; the server reads the clock in the background
	clock := func() time.Time { return someDay.Add(time.Duration(passed.Load())) }
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	o := local.Options{Engine: "bolt", Log: io.Discard, Out: io.Discard, Now: clock}
	s := local.New(o, engine, io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme", IdP: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	a := &api{t: t, s: s, h: s.Handler(), base: "http://scim.example.com/scim/v2/acme", token: token.Value}
	a.guarded(`{"people":2,"minutes":10}`)
	ids := a.users(9)
	for i, step := range []struct {
		after  time.Duration
		user   int
		status int
	}{
		{0, 0, 200},
		{5 * time.Minute, 1, 200},
		{6*time.Minute + 1, 2, 200}, // the first does not count any more
		{0, 3, 503},
		{9 * time.Minute, 3, 503},
		{9 * time.Minute, 4, 503}, // others keep it as well
		{9 * time.Minute, 3, 503},
		{11*time.Minute + 1, 3, 200},
		{0, 4, 200},
		{0, 5, 503},
	} {
		passed.Add(int64(step.after))
		if status := a.deactivate(ids[step.user]); status != step.status {
			t.Fatalf("step %d: %d, want %d", i, status, step.status)
		}
	}
	if told := a.toldBy("guard.tripped"); len(told) != 2 {
		t.Errorf("told of %v", told)
	}
	if state := a.mustAdmin(200, "GET", "/guard", ""); len(state["held"].([]any)) != 1 {
		t.Errorf("held: %v", state)
	}
	a.mustAdmin(200, "PUT", "/policy", `{}`)
	a.setActive(ids[5], false)
	if state := a.mustAdmin(200, "GET", "/guard", ""); state["tripped"] != false {
		t.Errorf("without a guard: %v", state)
	}
	a.mustAdmin(409, "POST", "/guard", `{"decision":"allow"}`)
}

// TestGuardByPercent takes the larger of the two bounds.
func TestGuardByPercent(t *testing.T) {
	a := on(t, memory(t), "generic")
	ids := a.users(20)
	a.mustAdmin(200, "GET", "/members", "") // all are published
	a.guarded(`{"people":1,"percent":20}`)
	passed := 0
	for _, id := range ids {
		if a.deactivate(id) == 200 {
			passed++
		}
	}
	// The active members are counted at the second deactivation: 19 or 20 of them, as the first is published.
	if passed != 3 && passed != 4 {
		t.Errorf("%d of 20 passed, want a fifth of the active ones", passed)
	}
}
