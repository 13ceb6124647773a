package local_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestIdempotencyKey: a request that is sent again with its key makes nothing again, and its secret is stored nowhere.
func TestIdempotencyKey(t *testing.T) {
	o := conditioned(t)
	for path, bodies := range map[string][2]string{
		"/clients":     {`{"name":"one"}`, `{"name":"two"}`},
		"/webhooks":    {`{"url":"https://app.example.com/1","types":["*"]}`, `{"url":"https://app.example.com/2","types":["*"]}`},
		"/setup-links": {`{"role":"reader"}`, `{"role":"admin"}`},
	} {
		count := func() int { return strings.Count(o.ask("GET", path, "", "", "").Body.String(), `"createdAt"`) }
		send := func(body string) *httptest.ResponseRecorder {
			return o.ask("POST", path, body, "Idempotency-Key", `"key of `+path+`"`)
		}
		had := count()
		first := send(bodies[0])
		again, other := send(bodies[0]), send(bodies[1])
		if first.Code != 201 || again.Code != 409 || other.Code != 422 || count() != had+1 {
			t.Errorf("%s: %d, again %d %s, with another body %d, %d are there", path, first.Code,
				again.Code, again.Body, other.Code, count()-had)
		}
		if path != "/webhooks" && again.Header().Get("Location") != first.Header().Get("Location") {
			t.Errorf("%s: Location %q, want %q", path, again.Header().Get("Location"), first.Header().Get("Location"))
		}
	}
	// The answer is given again if it has no secret and is not about people.
	for _, c := range [][2]string{
		{"/domains", `{"name":"example.com"}`},
		{"/members/invite", `{}`},
		{"/rotation", `{"action":"cancel"}`},
		{"/disconnect", `{}`},
	} {
		path, body := c[0], c[1]
		first := o.ask("POST", path, body, "Idempotency-Key", "the key of "+path)
		again := o.ask("POST", path, body, "Idempotency-Key", "the key of "+path)
		if first.Code >= 300 || again.Code != first.Code || again.Body.String() != first.Body.String() ||
			again.Header().Get("Location") != first.Header().Get("Location") ||
			again.Header().Get("ETag") != first.Header().Get("ETag") {
			t.Errorf("%s: %d %s, again %d %s", path, first.Code, first.Body, again.Code, again.Body)
		}
	}
	if w := o.ask("POST", "/disconnect", `{}`, "Idempotency-Key", "another"); !strings.Contains(w.Body.String(), `"tokens":0`) {
		t.Errorf("disconnected twice: %d %s", w.Code, w.Body)
	}
	// The operator's own requests have keys as well.
	for path, body := range map[string]string{
		"/../tenants": `{"id":"second","name":"Second"}`, "/../clients": `{"name":"Catalogue"}`,
		"/../webhooks": `{"url":"https://app.example.com/","types":["*"]}`,
	} {
		first := o.ask("POST", path, body, "Idempotency-Key", "the operator's "+path)
		again := o.ask("POST", path, body, "Idempotency-Key", "the operator's "+path)
		if first.Code != 201 || again.Code != 409 || again.Header().Get("Location") != first.Header().Get("Location") ||
			!strings.Contains(again.Body.String(), "carried out before") {
			t.Errorf("%s: %d %s, again %d %s", path, first.Code, first.Body, again.Code, again.Body)
		}
	}
	if w := o.ask("POST", "/setup-links", `{}`, "Idempotency-Key", "k"); w.Code != 400 {
		t.Errorf("a link without a role: %d %s", w.Code, w.Body)
	}
	// A request that was refused may be corrected under its key.
	if w := o.ask("POST", "/setup-links", `{"role":"admin"}`, "Idempotency-Key", "k"); w.Code != 201 {
		t.Errorf("corrected: %d %s", w.Code, w.Body)
	}
}

// TestIdempotencyKeyAtOnce: of many requests with one key at the same time, one is carried out.
func TestIdempotencyKeyAtOnce(t *testing.T) {
	o := conditioned(t)
	var made, refused atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			switch w := o.ask("POST", "/clients", `{"name":"x"}`, "Idempotency-Key", "same"); w.Code {
			case 201:
				made.Add(1)
			case 409:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	clients := strings.Count(o.ask("GET", "/clients", "", "", "").Body.String(), `"tokenUrl"`)
	if got := fmt.Sprint(made.Load(), refused.Load(), clients); got != "1 7 1" {
		t.Errorf("made, refused, there: %s", got)
	}
}

// TestIdempotencyKeyOfDeletedTenant: a tenant that is created again knows nothing of the keys of the deleted one.
func TestIdempotencyKeyOfDeletedTenant(t *testing.T) {
	engine := memory(t)
	a := on(t, engine, "generic")
	o := &caller{t: t, h: a.h, known: map[string]string{}}
	send := func() {
		t.Helper()
		if w := o.ask("POST", "/clients", `{"name":"x"}`, "Idempotency-Key", "k"); w.Code != 201 {
			t.Fatalf("%d %s, Location %q", w.Code, w.Body, w.Header().Get("Location"))
		}
	}
	send()
	if w := o.ask("DELETE", "", "", "", ""); w.Code != 202 {
		t.Fatalf("delete: %d %s", w.Code, w.Body)
	}
	_ = a.s.Close()
	b := a.again(engine)
	if err := b.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.h = b.h
	o.do(step{201, "POST", "/tenants", `{"id":"acme","name":"Acme"}`, nil})
	send()
}
