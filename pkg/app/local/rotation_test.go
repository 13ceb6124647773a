package local_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

const day = 24 * time.Hour

// operator calls the admin API of a server.
type operator struct {
	t *testing.T
	s *local.Server
}

// do sends a request and returns status and body.
func (o operator) do(method, path, body string) (int, object) {
	o.t.Helper()
	r := httptest.NewRequest(method, "http://localhost/admin/v1"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	o.s.Handler().ServeHTTP(w, r)
	var out object
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			o.t.Errorf("%s %s: body is no JSON: %v", method, path, err)
		}
	}
	return w.Code, out
}

func (o operator) must(status int, method, path, body string) object {
	o.t.Helper()
	got, out := o.do(method, path, body)
	if got != status {
		o.t.Fatalf("%s %s %s: status %d, want %d: %v", method, path, body, got, status, out)
	}
	return out
}

// tokens are the tokens of acme, each as state and id.
func (o operator) tokens() (states string, ids []string) {
	o.t.Helper()
	var all []string
	for _, t := range o.must(200, "GET", "/tenants/acme/tokens", "")["tokens"].([]any) {
		all = append(all, t.(object)["state"].(string))
		ids = append(ids, t.(object)["id"].(string))
	}
	return strings.Join(all, " "), ids
}

func (o operator) notices() string {
	o.t.Helper()
	var all []string
	for _, n := range o.must(200, "GET", "/tenants/acme/notices", "")["notices"].([]any) {
		all = append(all, n.(object)["kind"].(string))
	}
	return strings.Join(all, " ")
}

func (o operator) reveal(id string) string {
	o.t.Helper()
	return o.must(200, "POST", "/tenants/acme/tokens/"+id+"/reveal", "")["value"].(string)
}

// to moves the clock.
func (o operator) to(at time.Time) {
	o.t.Helper()
	o.must(200, "PUT", "/clock", fmt.Sprintf(`{"now":%q}`, at.Format(time.RFC3339Nano)))
}

// rotating creates a server with a tenant that has somebody to tell, and returns the end of its token.
func rotating(t *testing.T, engine store.Engine) (*api, operator, time.Time) {
	t.Helper()
	a := on(t, engine, "okta")
	o := operator{t, a.s}
	o.must(200, "PATCH", "/tenants/acme", `{"settings":{"notices":{"recipients":[{"email":"ada@example.com"}]}}}`)
	tokens := o.must(200, "GET", "/tenants/acme/tokens", "")["tokens"].([]any)
	end, err := time.Parse(time.RFC3339, tokens[0].(object)["expiresAt"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return a, o, end
}

func empty(t *testing.T) *boltstore.Engine {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

// The time is moved over HTTP; all due work is done when the answer is there.
func TestClock(t *testing.T) {
	a, o, end := rotating(t, empty(t))
	id := a.user("ada")
	o.must(400, "PUT", "/clock", `{"now":"2020-01-01T00:00:00Z"}`)
	o.to(end.Add(-28*day - time.Minute))
	if states, _ := o.tokens(); states != "active" {
		t.Errorf("before the period of notice: %s", states)
	}
	o.to(end.Add(-28 * day))
	states, ids := o.tokens()
	if states != "active successor" || o.notices() != "successor-ready" {
		t.Fatalf("28 days before the end: %s, notices %s", states, o.notices())
	}
	successor := &api{t: t, h: a.h, base: a.base, token: o.reveal(ids[1])}
	successor.must(200, "GET", "/Users/"+id, "")
	modified := a.must(200, "PATCH", "/Users/"+id,
		patchBody(`{"op":"replace","path":"title","value":"Countess"}`))["meta"].(object)["lastModified"].(string)
	if at, err := time.Parse(time.RFC3339, modified); err != nil || at.Before(end.Add(-28*day)) ||
		at.After(end.Add(-27*day)) {
		t.Errorf("modified %s, %v", modified, err)
	}
	o.to(end.Add(-time.Minute))
	a.must(200, "GET", "/Users/"+id, "")
	o.to(end)
	denied := a.must(401, "GET", "/Users/"+id, "")
	if !strings.Contains(denied["detail"].(string), "expired on "+end.Format(time.RFC3339)) {
		t.Errorf("%v", denied)
	}
	successor.must(200, "GET", "/Users/"+id, "")
	if states, _ := o.tokens(); states != "expired active" || !strings.Contains(o.notices(), "expired") {
		t.Errorf("at the end: %s, notices %s", states, o.notices())
	}
	o.must(400, "PUT", "/clock", fmt.Sprintf(`{"now":%q}`, end.Add(-day).Format(time.RFC3339)))
}

// Rotation dies at every one of its writes in turn. The next run, of a new process, finishes the work.
func TestCrashInRotation(t *testing.T) {
	for _, left := range []time.Duration{28 * day, 14 * day, 0, -10 * day} {
		for writes, finished := 0, false; !finished && !t.Failed(); writes++ {
			t.Run(fmt.Sprintf("%v before the end, after %d writes", left, writes), func(t *testing.T) {
				engine := empty(t)
				a, o, end := rotating(t, engine)
				if left < 28*day && left >= 0 {
					o.to(end.Add(-28 * day))
				}
				if err := a.s.Close(); err != nil {
					t.Fatal(err)
				}
				mortal := faultstore.New(engine, nil)
				mortal.KillAfterWrites(writes)
				dying := operator{t, a.again(mortal).s}
				status, _ := dying.do("PUT", "/clock", fmt.Sprintf(`{"now":%q}`, end.Add(-left).Format(time.RFC3339)))
				if err := dying.s.Close(); err != nil {
					t.Fatal(err)
				}
				if finished = !mortal.Killed(); finished && (status != 200 || writes == 0) {
					t.Fatalf("status %d of what nothing kept from its end", status)
				}
				later := a.again(engine)
				o = operator{t, later.s}
				o.to(end.Add(-left).Add(2 * time.Hour))
				rotated(t, o, later, left)
			})
		}
	}
}

// rotated checks a tenant at a time before the end of its first token.
func rotated(t *testing.T, o operator, a *api, left time.Duration) {
	t.Helper()
	states, ids := o.tokens()
	want, told := "active successor", "successor-ready"
	switch {
	case left <= 0:
		want = "expired active"
		told = "expired"
	case left == 14*day:
		told = "successor-ready reminder-14"
	}
	if states != want || !strings.Contains(o.notices(), told) {
		t.Errorf("%s, notices %s", states, o.notices())
	}
	for _, kind := range []string{"successor-ready", "reminder-14", "expired"} {
		if strings.Count(o.notices(), kind) > 1 {
			t.Errorf("notices %s", o.notices())
		}
	}
	newest := &api{t: t, h: a.h, base: a.base, token: o.reveal(ids[len(ids)-1])}
	newest.must(200, "GET", "/Users", "")
	if left > 0 {
		a.must(200, "GET", "/Users", "")
	} else {
		a.must(401, "GET", "/Users", "")
	}
}

// Several processes rotate one table at once, while the identity provider works and people start and cancel.
func TestParallelRotation(t *testing.T) {
	engine := empty(t)
	a, o, end := rotating(t, engine)
	o.to(end.Add(-60 * day))
	var wg sync.WaitGroup
	for i := range 6 {
		other := operator{t, a.s}
		if i%2 == 0 {
			other.s = a.again(engine).s
		}
		wg.Go(func() {
			other.do("PUT", "/clock", fmt.Sprintf(`{"now":%q}`, end.Add(-28*day).Add(time.Duration(i)*time.Second).
				Format(time.RFC3339)))
		})
	}
	wg.Go(func() {
		for range 10 {
			a.do("GET", "/Users", "")
		}
	})
	wg.Go(func() { o.do("POST", "/tenants/acme/rotation", `{"action":"start"}`) })
	wg.Wait()
	o.to(end.Add(-28 * day).Add(2 * time.Hour))
	if states, _ := o.tokens(); states != "active successor" || o.notices() != "successor-ready" {
		t.Errorf("%s, notices %s", states, o.notices())
	}
}
