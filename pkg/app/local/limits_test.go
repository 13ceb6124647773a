package local_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// hand is a clock that stands until it is moved.
type hand struct{ at atomic.Int64 }

func newHand() *hand {
	h := &hand{}
	h.at.Store(time.Now().Truncate(time.Minute).UnixNano()) // the engine drops expired items by its own clock
	return h
}

func (h *hand) now() time.Time            { return time.Unix(0, h.at.Load()).UTC() }
func (h *hand) move(by time.Duration)     { h.at.Add(int64(by)) }
func (h *hand) options() local.Options    { o := costly(); o.Now = h.now; return o }
func bounds(text string) (l local.Limits) { _ = l.UnmarshalText([]byte(text)); return l }

// limited is a tenant on a server of its own whose tenants may send five requests a second, and ten at once.
func limited(t *testing.T, engine store.Engine, h *hand, id string) *api {
	o := h.options()
	o.Limits = bounds("5,10,20,40")
	s := local.New(o, engine, io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	return tenantOn(t, s, id, "generic")
}

// twin is the same tenant on another server with the same table, as another process of a function is.
func (a *api) twin(t *testing.T, engine store.Engine, h *hand) *api {
	o := h.options()
	o.Limits = bounds("5,10,20,40")
	s := local.New(o, engine, io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	return &api{t: t, s: s, h: s.Handler(), base: a.base, token: a.token}
}

// passed sends requests until one is refused, at most n, and returns how many were let through. It checks the refusal.
func (a *api) passed(n int) int {
	a.t.Helper()
	for i := range n {
		r := httptest.NewRequest("GET", a.base+"/Users?count=1", nil)
		r.Header.Set("Authorization", "Bearer "+a.token)
		w := httptest.NewRecorder()
		a.h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK:
			continue
		case http.StatusTooManyRequests:
		default:
			a.t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		var out object
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || out["status"] != "429" || out["detail"] == "" {
			a.t.Errorf("the refusal is no SCIM error: %s", w.Body)
		}
		if after, err := strconv.Atoi(w.Header().Get("Retry-After")); err != nil || after < 1 || after > 2 {
			a.t.Errorf("Retry-After is %q, want one or two seconds", w.Header().Get("Retry-After"))
		}
		return i
	}
	return n
}

// between checks a number of requests that were let through.
func between(t *testing.T, what string, got, low, high int) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s: %d requests were let through, want %d to %d", what, got, low, high)
	}
}

// TestTenantLimits: a tenant may send its burst at once and its rate in the mean, over all processes; other tenants go
// on.
func TestTenantLimits(t *testing.T) {
	engine, h := memory(t), newHand()
	a := limited(t, engine, h, "acme")
	other := tenantOn(t, a.s, "other", "generic")
	twin := a.twin(t, engine, h)
	// A burst is ten; each of two processes has a portion of one beyond it.
	total := a.passed(50) + twin.passed(50)
	between(t, "at once", total, 10, 12)
	between(t, "another tenant", other.passed(10), 10, 10)
	total = 0
	for range 10 { // 20 seconds
		h.move(2 * time.Second)
		total += a.passed(50) + twin.passed(50)
	}
	between(t, "in 20 seconds", total, 100, 120)
	// A setting raises the limit up to the operator's bounds.
	a.tenant = "acme"
	a.settings(200, `{"limits":{"perSecond":10,"burst":20}}`)
	h.move(10 * time.Second)
	between(t, "with a setting", a.passed(100), 20, 22)
	a.settings(200, `{"limits":{"perSecond":1000,"burst":100000}}`)
	h.move(10 * time.Second)
	between(t, "with a setting beyond the bounds", a.passed(500), 40, 44)
	for _, bad := range []string{
		`{"limits":{"burst":0}}`, `{"limits":{"burst":"5"}}`, `{"limits":{"x":1}}`, `{"limits":7}`,
	} {
		a.settings(400, bad)
	}
}

// settings changes the tenant's settings.
func (a *api) settings(status int, settings string) {
	a.t.Helper()
	r := httptest.NewRequest("PATCH", "http://127.0.0.1:8080/admin/v1/tenants/"+a.tenant,
		strings.NewReader(`{"settings":`+settings+`}`))
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	if w.Code != status {
		a.t.Fatalf("settings %s: status %d, want %d: %s", settings, w.Code, status, w.Body)
	}
}

// TestTenantLimitsTogether: 16 clients at once on two servers are let through as often as one after the other.
func TestTenantLimitsTogether(t *testing.T) {
	engine, h := memory(t), newHand()
	a := limited(t, engine, h, "acme")
	both := []*api{a, a.twin(t, engine, h)}
	var total atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() { total.Add(int64(both[i%2].passed(50))) })
	}
	wg.Wait()
	between(t, "together", int(total.Load()), 10, 12)
}

// TestQuietTenantPaysNothing: a bound costs nothing until a process has let a portion of it through in a window.
func TestQuietTenantPaysNothing(t *testing.T) {
	cost := func(limits string) string {
		h := newHand()
		o := h.options()
		o.Limits = bounds(limits)
		s := local.New(o, memory(t), io.NopCloser(nil))
		t.Cleanup(func() { _ = s.Close() })
		a := tenantOn(t, s, "acme", "generic")
		var all []string
		for range 5 {
			h.move(4 * time.Second)
			r := httptest.NewRequest("GET", a.base+"/Users?count=1", nil)
			r.Header.Set("Authorization", "Bearer "+a.token)
			w := httptest.NewRecorder()
			a.h.ServeHTTP(w, r)
			all = append(all, w.Header().Get("Scim-Cost"))
		}
		return fmt.Sprint(all)
	}
	if without, with := cost(""), cost("25,100,200,1000"); with != without {
		t.Errorf("with a bound requests cost %s, without %s", with, without)
	}
}

// TestWrongTokensAreBounded: an address that sends many wrong tokens is no longer listened to for a while. Others are.
func TestWrongTokensAreBounded(t *testing.T) {
	h := newHand()
	a := limited(t, memory(t), h, "acme")
	from := func(address, token string) int {
		r := httptest.NewRequest("GET", a.base+"/ResourceTypes", nil)
		r.RemoteAddr = address + ":1234"
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		a.h.ServeHTTP(w, r)
		return w.Code
	}
	wrong := strings.Replace(a.token, a.token[8:12], "zzzz", 1)
	refused := map[int]int{}
	for range 60 {
		refused[from("192.0.2.1", wrong)]++
	}
	if refused[401] != 30 || refused[429] != 30 {
		t.Errorf("60 wrong tokens were answered %v", refused)
	}
	for range 5 { // a first use is noted in the tenant, which makes the process forget the token once more
		if got := from("192.0.2.2", a.token); got != 200 {
			t.Errorf("the right token from elsewhere: %d", got)
		}
	}
	if got := from("192.0.2.1", a.token); got != 200 {
		t.Errorf("the right token, known by now, from the same address: %d", got)
	}
	if got := from("192.0.2.2", wrong); got != 401 {
		t.Errorf("a wrong token from elsewhere: %d", got)
	}
	h.move(10 * time.Second)
	if got := from("192.0.2.1", wrong); got != 401 {
		t.Errorf("a wrong token ten seconds later: %d", got)
	}
}
