package scimhttp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// An error that may go away with a retry is a 503 with an integer Retry-After.
func TestBusyStore(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for _, fault := range []error{
		store.ErrThrottled, store.ErrConflict, store.ErrUnavailable, fmt.Errorf("wrapped: %w", store.ErrThrottled),
		context.DeadlineExceeded,
	} {
		s.fault = fault
		r := s.as(a, "GET", "/Users/0", "").wantError(503, scim.NoType)
		if seconds, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || seconds < 1 {
			t.Errorf("%v: Retry-After %q", fault, r.header.Get("Retry-After"))
		}
		if strings.Contains(r.raw, "store") {
			t.Errorf("%v: body %s", fault, r.raw)
		}
	}
}

// Any other error is a 500 whose text is logged and not sent.
func TestUnknownError(t *testing.T) {
	var log bytes.Buffer
	s := newServer(t, func(c *scimhttp.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	a := s.tenant("acme", "", tenant.Settings{})
	s.fault = errors.New("table scim-prod is on fire")
	r := s.as(a, "GET", "/Users/0", "").wantError(500, scim.NoType)
	if strings.Contains(r.raw, "fire") || !strings.Contains(log.String(), "on fire") {
		t.Errorf("body %s, log %s", r.raw, log.String())
	}
}

// FuzzRequest: the answer to any request with a valid token is SCIM and no 5xx but 501.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/Users", "filter=userName+eq+%22a%22", "", "", "")
	f.Add("POST", "/Users", "", "application/json", `{"userName":"a","emails":[{"value":"x"}]}`, "")
	f.Add("PATCH", "/Users/0", "attributes=id", "application/scim+json; a=b",
		patchOf(`{"op":"add","path":"title","value":"x"}`), `W/"1"`)
	f.Add("PUT", "/Groups/a#b", "count=9&startIndex=-1", "text/plain", "{}", `*, "a,b"`)
	f.Add("GET", "/Schemas/urn:x", "%zz", "", "", "")
	f.Fuzz(func(t *testing.T, method, path, query, contentType, body, match string) {
		_, err := http.NewRequestWithContext(t.Context(), method, "http://"+host, nil)
		if err != nil || method == "" || len(method) > 32 {
			return // no server passes on such a method
		}
		s := newServer(t, nil)
		a := s.tenant("acme", "", tenant.Settings{})
		s.as(a, "POST", "/Users", `{"userName":"somebody"}`).want(201)
		r := httptest.NewRequest("GET", "http://"+host+"/", strings.NewReader(body))
		r.Method, r.URL.Path, r.URL.RawQuery = method, "/scim/v2/acme"+path, query
		r.Header.Set("Authorization", "Bearer "+a.token)
		r.Header["Content-Type"] = []string{contentType}
		r.Header["If-Match"], r.Header["If-None-Match"] = []string{match}, []string{match}
		w := httptest.NewRecorder()
		s.http.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != 501 {
			t.Errorf("%q %q?%q: %d %s", method, path, query, w.Code, w.Body)
		}
		if got := w.Header().Get("Content-Type"); w.Body.Len() > 0 && got != scim.MediaType {
			t.Errorf("%q %q: Content-Type %q", method, path, got)
		}
		if w.Body.Len() > 0 {
			if _, err := scim.ParseObject(w.Body.Bytes()); err != nil {
				t.Errorf("%q %q: %v in %s", method, path, err, w.Body)
			}
		}
	})
}
