package adminhttp_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp"
	"github.com/serverless-scim/serverless-scim/pkg/apigw"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// logged is the admin API with a log, and with a clock that panics when it is set.
func logged(t *testing.T, log *slog.Logger) http.Handler {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	return adminhttp.New(adminhttp.Config{
		Journal:  provlog.New(st, provlog.Options{Now: time.Now}),
		Tenants:  tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: time.Now}),
		SetClock: func(context.Context, time.Time) (time.Time, error) { panic("secret") },
		Clock:    func() (now, machine time.Time) { return start, start },
		Log:      log,
	})
}

// ask sends a request from this machine and returns the answer.
func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:5000"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestPanicIsProblemDetails: a panic gives a 500 without the text of the panic, and the next request is answered.
func TestPanicIsProblemDetails(t *testing.T) {
	var log bytes.Buffer
	h := logged(t, slog.New(slog.NewTextHandler(&log, nil)))
	w := ask(h, "PUT", "/admin/v1/clock", `{"now":"2026-11-22T09:00:00Z"}`)
	if w.Code != 500 || w.Header().Get("Content-Type") != "application/problem+json" ||
		w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Body.String(), `"status":500`) ||
		strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if !strings.Contains(log.String(), "msg=panic") || !strings.Contains(log.String(), "status=500") {
		t.Errorf("log: %s", log.String())
	}
	if w := ask(h, "GET", "/admin/v1/log", ""); w.Code != 200 || !strings.Contains(w.Body.String(),
		`"outcome":"failed","path":"/clock"`) {
		t.Errorf("the operator's log, by the next request: %d %s", w.Code, w.Body)
	}
}

// TestCallerInAWS: the principal that API Gateway has accepted is the caller, in the log line and in both logs.
func TestCallerInAWS(t *testing.T) {
	var log bytes.Buffer
	h := logged(t, slog.New(slog.NewTextHandler(&log, nil)))
	const arn = "arn:aws:sts::123456789012:assumed-role/Operator/ada"
	r := httptest.NewRequest("POST", "http://localhost/admin/v1/tenants", strings.NewReader(`{"id":"acme","name":"x"}`))
	r.Header.Set(apigw.CallerHeader, arn)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if line := log.String(); w.Code != 201 || !strings.Contains(line, "status=201") ||
		!strings.Contains(line, "caller="+arn) {
		t.Errorf("%d %s: log %s", w.Code, w.Body, log.String())
	}
	for _, path := range []string{"/log", "/tenants/acme/log"} {
		got := ask(h, "GET", "/admin/v1"+path, "").Body.String()
		if !strings.Contains(got, `"caller":"`+arn+`"`) || !strings.Contains(got, w.Header().Get("X-Request-Id")) {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// TestLogOfRequests: each request is one line, which names the tenant of the path and nothing else of it.
func TestLogOfRequests(t *testing.T) {
	var log bytes.Buffer
	h := logged(t, slog.New(slog.NewTextHandler(&log, nil)))
	if w := ask(h, "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`); w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/admin/v1/tenants/acme", "route=/admin/v1/tenants/{id} status=200 durationMs=* tenant=acme"},
		{
			"GET", "/admin/v1/tenants/acme/tokens",
			"route=/admin/v1/tenants/{id}/tokens status=200 durationMs=* tenant=acme",
		},
		{"PUT", "/admin/v1/tenants/acme", "route=/admin/v1/tenants/{id} status=405 durationMs=* tenant=acme"},
		{"GET", "/admin/v1/tenants", "route=/admin/v1/tenants status=200 durationMs=*"},
		{"GET", "/admin/v1/tenants/jane@example.com", "route=/admin/v1/tenants/{id} status=404 durationMs=*"},
		{"GET", "/admin/v1/jane", "route=- status=404 durationMs=*"},
	} {
		log.Reset()
		ask(h, c.method, c.path, "")
		want := "edge=admin method=" + c.method + " " + c.want + "\n"
		before, after, _ := strings.Cut(want, "*")
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, before) ||
			!strings.HasSuffix(got, after) || strings.Contains(got, "jane") {
			t.Errorf("%s %s: log %q, want %q", c.method, c.path, got, want)
		}
	}
}

// TestRefusedByTheGuardIsLogged: a request that LocalGuard refuses is one line, without the request's key.
func TestRefusedByTheGuardIsLogged(t *testing.T) {
	for key, status := range map[string]int{"": http.StatusForbidden, "sesame": http.StatusUnauthorized} {
		var log bytes.Buffer
		text := slog.New(slog.NewTextHandler(&log, nil))
		r := httptest.NewRequest("GET", "http://localhost/admin/v1/tenants/acme", nil)
		r.RemoteAddr = "192.168.0.7:5000"
		r.Header.Set("Authorization", "Bearer open")
		w := httptest.NewRecorder()
		adminhttp.LocalGuard(logged(t, text), key, text).ServeHTTP(w, r)
		id := w.Header().Get("X-Request-Id")
		want := fmt.Sprintf("requestId=%s edge=admin method=GET route=- status=%d", id, status)
		if w.Code != status || id == "" || strings.Count(log.String(), "\n") != 1 ||
			!strings.Contains(log.String(), want) {
			t.Errorf("key %q: %d, log %s, want %s", key, w.Code, log.String(), want)
		}
	}
}
