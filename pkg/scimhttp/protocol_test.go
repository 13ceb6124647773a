package scimhttp_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// "Content-Type of every body is exactly application/scim+json, no parameters"; "application/json where Accept takes
// only that"; "Accept never causes 406".
func TestAnswerMediaType(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	onelogin := s.tenant("onelogin", "onelogin", tenant.Settings{})
	const plain = "application/json"
	for accept, want := range map[string]string{
		"": scim.MediaType, "*/*": scim.MediaType, "application/scim+json": scim.MediaType, "text/html": scim.MediaType,
		"nonsense;;": scim.MediaType,
		plain:        plain, "Application/JSON; charset=utf-8": plain, "application/json;q=0.9, text/plain": plain,
		"application/json, application/scim+json": scim.MediaType, "application/json, */*;q=0.1": scim.MediaType,
		"application/json, application/*": scim.MediaType, "application/json;q=0": scim.MediaType,
	} {
		s.as(a, "GET", "/Schemas", "", "Accept", accept).want(200).wantHeader("Content-Type", want)
		s.as(a, "GET", "/Nothing", "", "Accept", accept).want(404).wantHeader("Content-Type", want)
	}
	s.as(onelogin, "GET", "/Schemas", "", "Accept", scim.MediaType).want(200).wantHeader("Content-Type", plain)
}

// "a request body without Content-Type or with any JSON type is read, others 415".
func TestRequestMediaType(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for _, contentType := range []string{
		"", "application/json", "application/scim+json", "application/scim+json; charset=utf-8",
		"Application/SCIM+JSON;charset=UTF-8",
		"application/vnd.api+json", "text/json", "application/json; charset", "application/json;;",
	} {
		s.as(a, "POST", "/Users", `{`, "Content-Type", contentType).wantError(400, scim.InvalidSyntax)
	}
	for _, contentType := range []string{
		"text/plain", "application/xml", "application/x-www-form-urlencoded", "json",
		"application/jsonp",
	} {
		for _, method := range []string{"PUT", "PATCH"} {
			s.as(a, method, "/Users/0", `{}`, "Content-Type", contentType).wantError(415, scim.NoType)
		}
		s.as(a, "POST", "/Users", `{}`, "Content-Type", contentType).wantError(415, scim.NoType)
	}
	s.as(a, "POST", "/Users", "\x1f\x8b", "Content-Encoding", "gzip").wantError(415, scim.NoType)
	// No body has no type; some gateways invent one.
	s.as(a, "POST", "/Users", "", "Content-Type", "text/plain").wantError(400, scim.InvalidSyntax)
}

// "Malformed JSON -> 400 invalidSyntax; empty body -> 400".
func TestMalformedBody(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for _, body := range []string{
		"", " \n", "{", "[]", "null", `"x"`, `{"userName":"a"} x`, `{"userName":"a","userName":"b"}`,
		"{\"userName\":\"\xff\"}",
		strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), `{'userName':'a'}`,
	} {
		for _, contentType := range []string{"application/json", "application/scim+json"} {
			s.as(a, "POST", "/Users", body, "Content-Type", contentType).wantError(400, scim.InvalidSyntax)
			s.as(a, "PUT", "/Users/0", body, "Content-Type", contentType).wantError(400, scim.InvalidSyntax)
			s.as(a, "PATCH", "/Groups/0", body, "Content-Type", contentType).wantError(400, scim.InvalidSyntax)
		}
	}
}

// "Limits: body 4 MiB (413)"; the error names the limit.
func TestBodyTooLarge(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	body := func(size int) string { return `{"x":"` + strings.Repeat("a", size-8) + `"}` }
	r := s.as(a, "POST", "/Users", body(scimhttp.DefaultMaxBodyBytes+1)).wantError(413, scim.NoType)
	if !strings.Contains(r.text("detail"), "4194304") {
		t.Errorf("detail %q", r.text("detail"))
	}
	s.as(a, "POST", "/Users", body(scimhttp.DefaultMaxBodyBytes)).wantError(400, scim.InvalidValue) // no userName
	s.as(a, "PUT", "/Users/0", body(12<<20)).wantError(413, scim.NoType)
	// Authentication comes first.
	s.send("POST", "/scim/v2/acme/Users", body(scimhttp.DefaultMaxBodyBytes+1)).wantError(401, scim.NoType)
}

func TestBrokenQuery(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for query, scimType := range map[string]scim.ErrorType{
		"filter=%zz":                            scim.InvalidSyntax,
		"filter=userName":                       scim.InvalidFilter,
		"filter=userName+eq":                    scim.InvalidFilter,
		"filter=a+eq+%221%22&filter=b":          scim.InvalidValue,
		"count=many":                            scim.InvalidValue,
		"startIndex=1.5":                        scim.InvalidValue,
		"startIndex=--1":                        scim.InvalidValue,
		"FILTER=%28" + strings.Repeat("(", 500): scim.InvalidFilter,
		"filter=" + strings.Repeat("a", 9000):   scim.InvalidFilter,
	} {
		s.as(a, "GET", "/Users?"+query, "").wantError(400, scimType)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	s := newServer(t, nil)
	for path, cache := range map[string]string{
		"/scim/v2/acme/ServiceProviderConfig": "private, no-cache", "/nowhere": "no-store",
		"/scim/v2/acme/Users": "no-store",
	} {
		r := s.send("GET", path, "")
		r.wantHeader("Cache-Control", cache).wantHeader("Vary", "Accept, Accept-Encoding").
			wantHeader("X-Content-Type-Options", "nosniff").wantHeader("Scim-Cost", "")
		if r.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: no request id", r.what)
		}
	}
}

func TestCostHeader(t *testing.T) {
	s := newServer(t, func(c *scimhttp.Config) { c.CostHeaders = true })
	a := s.tenant("acme", "", tenant.Settings{})
	s.as(a, "GET", "/Schemas", "").want(200).wantHeader("Scim-Cost", "calls=1, read=1.0, write=0.0")
	// A text that can't be a token costs no call of the store.
	s.send("GET", "/scim/v2/acme/Users", "", "Authorization", "Bearer x").want(401).
		wantHeader("Scim-Cost", "calls=0, read=0.0, write=0.0")
}

func TestLogHoldsNoSecretsAndNoNames(t *testing.T) {
	var log bytes.Buffer
	s := newServer(t, func(c *scimhttp.Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	a := s.tenant("acme", "", tenant.Settings{})
	s.as(a, "GET", "/Schemas/jane?filter=jane", "").want(403)
	s.as(a, "GET", "/Users/jane@example.com", "").want(404)
	s.as(a, "POST", "/Users?attributes=jane", `{"x":"jane"`).want(400)
	s.send("GET", "/scim/v2/jane@example.com/Users", "").want(401)
	s.send("JANE", "/jane", "").want(404)
	s.send("GET", "/scim/v2/jane@example.com/users/jane", "").want(401)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 6 {
		t.Fatalf("%d lines: %s", len(lines), log.String())
	}
	for _, secret := range []string{a.token, "jane", "JANE"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q: %s", secret, log.String())
		}
	}
	for _, want := range []string{
		`"tenant":"acme"`, `"method":"GET"`, `"route":"/Schemas/{id}"`, `"status":403`,
		`"calls":1`, `"requestId":"`,
	} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("the line lacks %s: %s", want, lines[0])
		}
	}
	if !strings.Contains(lines[5], `"route":"/Users/{id}"`) {
		t.Errorf("the line of a request without a token lacks its route: %s", lines[5])
	}
}

// A nil Directory panics at the first use.
func TestPanicIsAnInternalError(t *testing.T) {
	var log bytes.Buffer
	s := newServer(t, func(c *scimhttp.Config) {
		c.Directory = nil
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	a := s.tenant("acme", "", tenant.Settings{})
	r := s.as(a, "GET", "/Users", "").wantError(500, scim.NoType)
	id := r.header.Get("X-Request-Id")
	if !strings.Contains(r.text("detail"), id) || !strings.Contains(log.String(), id) {
		t.Errorf("request id %q, detail %q, log %s", id, r.text("detail"), log.String())
	}
	if strings.Contains(r.raw, "nil pointer") || !strings.Contains(log.String(), "nil pointer") {
		t.Errorf("the text of the panic: body %s, log %s", r.raw, log.String())
	}
}

func TestHostThatIsNone(t *testing.T) {
	h := scimhttp.New(scimhttp.Config{Now: newServer(t, nil).clock})
	for _, name := range []string{"", "a b", `a"b`, "a/b", "a<b>"} {
		r := httptest.NewRequest("GET", "/scim/v2/acme/ServiceProviderConfig", nil)
		r.Host = name
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest {
			t.Errorf("host %q: %d %s", name, w.Code, w.Body.String())
		}
	}
}
