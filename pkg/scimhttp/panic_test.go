package scimhttp_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestPanicBesideTheHandler: requests read, write and authenticate in several goroutines. A panic in any of them is the
// 500 of that request; the process and the next request go on, and no text of the panic leaves.
func TestPanicBesideTheHandler(t *testing.T) {
	var log bytes.Buffer
	s := newServer(t, func(c *scimhttp.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	a := s.tenant("acme", "", tenant.Settings{})
	s.as(a, "POST", "/Users", `{"userName":"ada"}`).want(201)
	group := s.as(a, "POST", "/Groups", `{"displayName":"all"}`).want(201).text("id")
	for i := range 60 {
		s.as(a, "POST", "/Users", `{"userName":"u`+strings.Repeat("x", i)+`"}`).want(201)
	}
	for _, r := range []struct{ method, path, body string }{
		{"GET", "/Users", ""},
		{"GET", "/Users?filter=userName+eq+%22ada%22", ""},
		{"GET", "/Users?filter=userName+sw+%22u%22+and+active+eq+true&sortBy=userName", ""},
		{"GET", "/Users?filter=userName+eq+%22ada%22+or+userName+eq+%22ux%22", ""},
		{"GET", "/Users?count=10&cursor=", ""},
		{"GET", "/Groups/" + group, ""},
		{"GET", "/", ""},
		{"POST", "/Users", `{"userName":"grace"}`},
		{"PATCH", "/Groups/" + group, patchOf(`{"op":"add","path":"displayName","value":"x"}`)},
		{"DELETE", "/Groups/" + group, ""},
	} {
		// The engine panics at the first call, then at the second, until the request makes no more calls.
		for at := int64(1); ; at++ {
			var calls atomic.Int64
			before := func(context.Context, call) {
				if calls.Add(1) == at {
					panic("secret")
				}
			}
			s.before.Store(&before)
			got := s.as(a, r.method, r.path, r.body)
			s.before.Store(nil)
			if calls.Load() < at {
				break
			}
			// A panic after the decision, such as in noting the time that a token was used, may leave the answer as
			// it is.
			if got.status >= 500 {
				got.wantError(500, scim.NoType)
			}
			if strings.Contains(got.raw, "secret") {
				t.Errorf("%s: the text of the panic leaves: %s", got.what, got.raw)
			}
			if at == 1 && got.status != 500 {
				t.Errorf("%s: %d after a panic in its first call, want 500", got.what, got.status)
			}
			if at > 200 {
				t.Fatalf("%s: makes more than 200 calls", got.what)
			}
		}
	}
	s.as(a, "GET", "/Users?count=1", "").want(200)
	if strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), "stack=") {
		t.Errorf("the log must tell the stack and not the value: %.2000s", log.String())
	}
}
