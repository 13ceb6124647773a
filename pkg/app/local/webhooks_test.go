package local_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/event/schemas"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// hooked creates a server that allows webhooks on this machine, and a tenant acme.
func hooked(t testing.TB, engine store.Engine) *api {
	t.Helper()
	a := rehooked(t, engine)
	_, token, err := a.s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme", IdP: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	a.token = token.Value
	return a
}

// rehooked creates a server on an engine, which may have a tenant acme already.
func rehooked(t testing.TB, engine store.Engine) *api {
	t.Helper()
	o := quiet()
	o.WebhookLoopback = true
	s := local.New(o, engine, io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	return &api{t: t, s: s, h: s.Handler(), base: "http://scim.example.com/scim/v2/acme"}
}

// listener is an application that gets events, and keeps a table of people by them.
type listener struct {
	t   *testing.T
	url string

	mu       sync.Mutex
	secret   string
	refuse   func() int // the status to answer; 0 takes the event
	people   map[string]object
	all      bool // it wants all events
	last     int64
	events   []object
	names    []string      // tenant:userName of each event about a person
	came     chan struct{} // is told of each request
	requests int
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{t: t, people: map[string]object{}, came: make(chan struct{}, 100_000)}
	web := httptest.NewServer(l)
	t.Cleanup(web.Close)
	l.url = web.URL
	return l
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender died
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.came <- struct{}{} }()
	l.requests++
	judge, err := standard.NewWebhook(l.secret)
	if err == nil {
		err = judge.Verify(body, r.Header)
	}
	if err != nil {
		l.t.Errorf("signature: %v", err)
	}
	var e object
	if err := json.Unmarshal(body, &e); err != nil {
		l.t.Errorf("body %s: %v", body, err)
	}
	if l.refuse != nil {
		if status := l.refuse(); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	l.take(e)
	w.WriteHeader(http.StatusNoContent)
}

// take applies an event, unless it came before.
func (l *listener) take(e object) {
	n := int64(e["sequence"].(float64))
	if d, _ := e["data"].(object); d["member"] != nil {
		l.names = append(l.names, fmt.Sprintf("%v:%v", e["tenant"], d["member"].(object)["userName"]))
	}
	if n > l.last+1 && l.all {
		l.t.Errorf("event %d came after %d", n, l.last)
	}
	if n <= l.last {
		return
	}
	l.last = n
	l.events = append(l.events, e)
	data, _ := e["data"].(object)
	m, isMember := data["member"].(object)
	if !isMember {
		return
	}
	if e["type"] == "member.removed" {
		delete(l.people, m["id"].(string))
		return
	}
	l.people[m["id"].(string)] = m
}

func (l *listener) answer(f func() int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse = f
}

func (l *listener) reached() (int64, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last, l.requests
}

// follow creates a webhook for the listener, and returns its id.
func (l *listener) follow(a *api, types string) string {
	a.t.Helper()
	l.mu.Lock() // an event that comes at once waits for the secret
	defer l.mu.Unlock()
	made := a.mustAdmin(201, "POST", "/webhooks", fmt.Sprintf(`{"url":%q,"types":%s}`, l.url, types))
	l.all = types == `["*"]`
	l.secret, l.last = made["secret"].(string), int64(made["after"].(float64))
	return made["id"].(string)
}

// until waits until the listener has the events up to the end of the log. It moves the clock so that retries become
// due.
func (l *listener) until(a *api) {
	a.t.Helper()
	if err := a.s.Settle(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	last := int64(a.mustAdmin(200, "GET", "/events?after=0&count=1", "")["last"].(float64))
	for range 2000 {
		if n, _ := l.reached(); n >= last {
			return
		}
		select {
		case <-l.came:
		case <-time.After(30 * time.Millisecond):
			a.forward(10 * time.Minute)
		}
	}
	n, requests := l.reached()
	a.t.Fatalf("the listener has %d of %d events after %d requests: %v", n, last, requests,
		a.mustAdmin(200, "GET", "/webhooks", ""))
}

// forward moves the server's clock.
func (a *api) forward(d time.Duration) {
	a.t.Helper()
	do := func(method, body string) object {
		r := httptest.NewRequest(method, "http://localhost/admin/v1/clock", strings.NewReader(body))
		r.RemoteAddr = "127.0.0.1:4711"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.h.ServeHTTP(w, r)
		var out object
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 {
			a.t.Fatalf("clock: %d %s", w.Code, w.Body)
		}
		return out
	}
	now, err := time.Parse(time.RFC3339Nano, do("GET", "")["now"].(string))
	if err != nil {
		a.t.Fatal(err)
	}
	do("PUT", fmt.Sprintf(`{"now":%q}`, now.Add(d).Format(time.RFC3339)))
}

// TestWebhookFollowsATenant: an application that answers with errors at random, before and after it has taken an event,
// and whose sender is restarted, ends with exactly the list of members.
func TestWebhookFollowsATenant(t *testing.T) {
	engine, l := memory(t), newListener(t)
	a := hooked(t, engine)
	l.follow(a, `["*"]`)
	r := rand.New(rand.NewPCG(1, 2))
	l.answer(func() int {
		switch r.IntN(6) {
		case 0:
			return http.StatusInternalServerError
		case 1:
			return http.StatusTooManyRequests
		}
		return 0
	})
	var ids []string
	for round := range 3 {
		for i := range 8 {
			ids = append(ids, a.user(fmt.Sprintf("user-%d-%d", round, i)))
		}
		a.group(fmt.Sprintf("group-%d", round), ids[len(ids)-5:])
		a.must(200, "PATCH", "/Users/"+ids[len(ids)-1], patchBody(`{"op":"replace","path":"active","value":false}`))
		a.must(204, "DELETE", "/Users/"+ids[len(ids)-2], "")
		token := a.token
		if err := a.s.Close(); err != nil {
			t.Fatal(err)
		}
		a = rehooked(t, engine)
		a.token = token
		l.until(a)
	}
	list := a.mustAdmin(200, "GET", "/members?count=1000", "")["members"].([]any)
	if len(list) != len(l.people) || len(list) != 21 {
		t.Errorf("%d members, the listener has %d", len(list), len(l.people))
	}
	for _, v := range list {
		m := v.(object)
		got := l.people[m["id"].(string)]
		if got == nil || got["version"] != m["version"] || got["status"] != m["status"] ||
			len(got["assignments"].([]any)) != len(m["assignments"].([]any)) {
			t.Errorf("member %v\nlistener %v", m, got)
		}
	}
}

func TestWebhookRoutes(t *testing.T) {
	l := newListener(t)
	a := hooked(t, memory(t))
	id := l.follow(a, `["member.*"]`)
	a.user("ada")
	l.awaits(a, "member.")
	got := a.delivered(id)
	if strings.Contains(fmt.Sprint(got, a.mustAdmin(200, "GET", "/webhooks", "")), "whsec") {
		t.Error("the secret is shown again")
	}
	recent := got["delivery"].(object)["recent"].([]any)
	if recent[0].(object)["status"] != 204.0 || got["delivery"].(object)["state"] != "good" {
		t.Errorf("delivery %v", got["delivery"])
	}
	a.mustAdmin(200, "PATCH", "/webhooks/"+id, `{"active":false,"description":"mine"}`)
	_, before := l.reached()
	a.user("ben")
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.mustAdmin(200, "PATCH", "/webhooks/"+id, `{"active":true}`)
	l.awaits(a, "member.")
	if _, after := l.reached(); after == before {
		t.Error("what happened while it was off did not come")
	}
	l.mu.Lock()
	n := len(l.events)
	l.last = 0
	l.mu.Unlock()
	if out := a.mustAdmin(202, "POST", "/webhooks/"+id+"/replay", `{"after":0}`); out["after"] != 0.0 {
		t.Errorf("replay %v", out)
	}
	for l.count() < 2*n {
		<-l.came
	}
	test := a.mustAdmin(200, "POST", "/webhooks/"+id+"/test", "")
	if test["delivered"] != true || test["status"] != 204.0 {
		t.Errorf("test %v", test)
	}
	if again := a.mustAdmin(200, "POST", "/webhooks/"+id+"/rotate-secret", ""); again["previousSecretUntil"] == nil {
		t.Errorf("rotated %v", again)
	}
	a.mustAdmin(410, "POST", "/webhooks/"+id+"/replay", `{"after":9999}`, "replay")
	a.mustAdmin(400, "POST", "/webhooks/"+id+"/replay", `{}`, "after")
	a.mustAdmin(400, "POST", "/webhooks", `{"url":"https://169.254.169.254/","types":["*"]}`, "url")
	a.mustAdmin(400, "POST", "/webhooks", `{"url":"https://app.example.com/","types":["*"],"x":1}`, "x")
	a.mustAdmin(400, "POST", "/webhooks", `{"url":"https://app.example.com/","types":"*"}`, "types")
	a.mustAdmin(404, "GET", "/webhooks/wh_aaaaaaaaaaaaaaaa", "", "webhook")
	a.mustAdmin(204, "DELETE", "/webhooks/"+id, "")
	a.mustAdmin(404, "GET", "/webhooks/"+id, "")
}

// awaits waits until the listener has all events of the log whose types begin so.
func (l *listener) awaits(a *api, prefix string) {
	l.t.Helper()
	if err := a.s.Settle(a.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	n := 0
	for _, e := range a.mustAdmin(200, "GET", "/events?after=0&count=1000", "")["events"].([]any) {
		if strings.HasPrefix(e.(object)["type"].(string), prefix) {
			n++
		}
	}
	for l.count() < n {
		select {
		case <-l.came:
		case <-time.After(5 * time.Minute):
			l.t.Fatalf("%d of %d events came", l.count(), n)
		}
	}
}

func (l *listener) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.events)
}

// delivered returns a webhook once a result of a delivery is stored.
func (a *api) delivered(id string) object {
	a.t.Helper()
	for {
		got := a.mustAdmin(200, "GET", "/webhooks/"+id, "")
		if state, _ := got["delivery"].(object); len(state["recent"].([]any)) > 0 {
			return got
		}
	}
}

// TestWebhookIsPaused: after five days of failure there is an event and a notice, and no request until it is switched
// on again. Then nothing is missing.
func TestWebhookIsPaused(t *testing.T) {
	l := newListener(t)
	a := hooked(t, memory(t))
	a.mustAdmin(200, "PATCH", "", `{"settings":{"notices":{"recipients":[{"email":"ada@acme.example"}]}}}`)
	id := l.follow(a, `["*"]`)
	l.answer(func() int { return http.StatusBadGateway })
	a.user("ada")
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	state := func() object { return a.mustAdmin(200, "GET", "/webhooks/"+id, "")["delivery"].(object) }
	for range 60 {
		for failures := state()["failures"]; state()["state"] != "paused"; { // until the attempt is noted
			if now := state()["failures"]; now != nil && (failures == nil || now != failures) {
				break
			}
			select {
			case <-l.came:
			case <-time.After(20 * time.Millisecond):
				a.forward(2 * time.Hour)
			}
		}
		if state()["state"] == "paused" {
			break
		}
		a.forward(7 * time.Hour)
	}
	if s := state(); s["state"] != "paused" || s["pausedAt"] == nil {
		t.Fatalf("state %v", s)
	}
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprint(a.mustAdmin(200, "GET", "/events?after=0&count=1000", ""))
	if strings.Count(all, "webhook.paused") != 1 {
		t.Errorf("events %s", all)
	}
	if all := fmt.Sprint(a.mustAdmin(200, "GET", "/notices", "")); strings.Count(all, "webhook-paused") != 1 {
		t.Errorf("notices %s", all)
	}
	_, before := l.reached()
	a.user("ben")
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.forward(8 * time.Hour)
	l.answer(nil)
	if _, after := l.reached(); after != before {
		t.Errorf("%d requests while it was paused", after-before)
	}
	a.mustAdmin(200, "PATCH", "/webhooks/"+id, `{"active":true}`)
	l.until(a)
}

// TestSlowWebhookHoldsUpNoOther: if some receivers never answer, the others still get their events, and the server does
// not wait for them when it ends. TestStuckDestinationHoldsUpNoOther checks the time.
func TestSlowWebhookHoldsUpNoOther(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(slow.Close)
	l := newListener(t)
	a := hooked(t, memory(t))
	for range 6 {
		a.mustAdmin(201, "POST", "/webhooks", fmt.Sprintf(`{"url":%q,"types":["*"]}`, slow.URL))
	}
	l.follow(a, `["*"]`)
	for i := range 5 {
		a.user(fmt.Sprintf("user-%d", i))
		l.awaits(a, "member.")
	}
	if err := a.s.Close(); err != nil { // ends the slow ones
		t.Error(err)
	}
}

// TestOperatorWebhook: a webhook of the operator gets the events of all tenants, with a position for each tenant.
func TestOperatorWebhook(t *testing.T) {
	l := newListener(t)
	a := hooked(t, memory(t))
	_, token, err := a.s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "beta", Name: "Beta", IdP: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	b := &api{t: t, s: a.s, h: a.h, base: "http://scim.example.com/scim/v2/beta", token: token.Value, tenant: "beta"}
	a.user("early") // before it was made
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for early := time.Now().UnixMilli(); time.Now().UnixMilli() == early; { // an event of the same millisecond is sent
		runtime.Gosched()
	}
	root := &api{t: t, s: a.s, h: a.h}
	made := root.operator(201, "POST", "", fmt.Sprintf(`{"url":%q,"types":["member.created"]}`, l.url))
	id := made["id"].(string)
	l.mu.Lock()
	l.secret = made["secret"].(string)
	l.mu.Unlock()
	a.user("ada")
	b.user("ben")
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	names := func() string {
		l.mu.Lock()
		defer l.mu.Unlock()
		return fmt.Sprint(l.names)
	}
	for strings.Count(names(), ":") < 2 {
		<-l.came
	}
	got := names()
	if !strings.Contains(got, "acme:ada") || !strings.Contains(got, "beta:ben") || strings.Contains(got, "early") {
		t.Errorf("got %s", got)
	}
	for root.operator(200, "GET", "/"+id+"?tenant=beta", "")["delivery"].(object)["position"] == 0.0 {
		<-time.After(time.Millisecond)
	}
	root.operator(404, "GET", "/"+id+"?tenant=gamma", "")
	root.operator(400, "POST", "/"+id+"/replay", `{"after":0}`)
	root.operator(202, "POST", "/"+id+"/replay", `{"after":0,"tenant":"acme"}`)
	for !strings.Contains(names(), "early") {
		<-l.came
	}
	if len(root.operator(200, "GET", "", "")["webhooks"].([]any)) != 1 ||
		len(a.mustAdmin(200, "GET", "/webhooks", "")["webhooks"].([]any)) != 0 {
		t.Error("the lists of tenants and operator are one")
	}
	root.operator(200, "PATCH", "/"+id, `{"active":true}`)
	root.operator(204, "DELETE", "/"+id, "")
	root.operator(201, "POST", "", fmt.Sprintf(`{"id":%q,"url":%q,"types":["none"]}`, id, l.url))
	again := root.operator(200, "GET", "/"+id+"?tenant=acme", "")
	if d, begun := again["delivery"].(object); begun && len(d["recent"].([]any)) > 0 {
		t.Errorf("created again: %v", again)
	}
}

// operator sends a request about the operator's webhooks.
func (a *api) operator(status int, method, path, body string) object {
	a.t.Helper()
	r := httptest.NewRequest(method, "http://localhost/admin/v1/webhooks"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	if w.Code != status {
		a.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	var out object
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			a.t.Fatal(err)
		}
	}
	return out
}

// TestDeletedTenantIsTold: the application of a tenant and the operator get tenant.deleted as the last event, also if
// they are down at first. A tenant that is created again with the same id has events with other ids, and places of the
// first tenant are not valid in its log.
func TestDeletedTenantIsTold(t *testing.T) {
	own, operators := newListener(t), newListener(t)
	a := hooked(t, memory(t))
	root := &api{t: t, s: a.s, h: a.h}
	made := root.operator(201, "POST", "", fmt.Sprintf(`{"url":%q,"types":["tenant.deleted"]}`, operators.url))
	operators.secret = made["secret"].(string)
	own.follow(a, `["*"]`)
	a.user("ada")
	own.until(a)
	down := func() int { return http.StatusServiceUnavailable } // until a request has come
	own.answer(func() int {
		if own.requests%2 == 1 {
			return down()
		}
		return 0
	})
	place, ids := fmt.Sprint("acme-", epochOf(a), "-1"), map[string]bool{}
	for life := range 2 {
		operators.answer(down)
		a.mustAdmin(202, "DELETE", "", "")
		a.mustAdmin(404, "GET", "/events?after="+place, "", "tenant")
		for operators.count() == life {
			select {
			case <-own.came:
			case <-operators.came:
				operators.answer(nil)
			case <-time.After(30 * time.Millisecond):
				a.forward(time.Minute)
			}
		}
		for {
			_, _, err := a.s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme", IdP: "generic"})
			if err == nil {
				break
			}
			if !errors.Is(err, tenant.ErrExists) {
				t.Fatal(err)
			}
			if err := a.s.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			a.forward(time.Minute)
		}
		a.mustAdmin(200, "GET", "/events?after=0", "")
		a.mustAdmin(410, "GET", "/events?after="+place, "", "earlier tenant")
		operators.mu.Lock()
		e := operators.events[life]
		operators.last = 0
		operators.mu.Unlock()
		if ids[e["id"].(string)] = true; e["type"] != "tenant.deleted" || e["tenant"] != "acme" {
			t.Errorf("event %v", e)
		}
		if err := schemas.Check(e); err != nil {
			t.Error(err)
		}
	}
	if len(ids) != 2 {
		t.Errorf("the ids of two deletions are %v", ids)
	}
	own.mu.Lock()
	defer own.mu.Unlock()
	if last := own.events[len(own.events)-1]; last["type"] != "tenant.deleted" || !ids[last["id"].(string)] {
		t.Errorf("the events of the tenant's own application end with %v", last)
	}
}

// epochOf is the epoch of a tenant's log.
func epochOf(a *api) string {
	a.t.Helper()
	first := a.mustAdmin(200, "GET", "/events?after=0&count=1", "")["events"].([]any)[0].(object)
	return strings.Split(first["id"].(string), "-")[1]
}
