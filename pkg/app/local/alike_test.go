package local_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// watched is an engine that calls the function in the context of a call, if there is one.
type watched struct{ store.Engine }

type watchKey struct{}

func watch(ctx context.Context) {
	if f, ok := ctx.Value(watchKey{}).(func(context.Context)); ok {
		f(ctx)
	}
}

func (e watched) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	watch(ctx)
	return e.Engine.Get(ctx, keys)
}

func (e watched) Query(ctx context.Context, q store.Query) (store.Page, error) {
	watch(ctx)
	return e.Engine.Query(ctx, q)
}

// edge is an HTTP edge with a request that it answers and the form of its errors.
type edge struct {
	name, method, path, kind, body string
	header                         http.Header
	status                         int
	holds                          string // text of the answer that follows from the configured base URL
	limit                          int    // the largest body in bytes
	refused                        string // method and path of a request whose body is too large
	failure                        string // Content-Type of errors
	fault                          string // pattern of the body of errors; %d is the status
}

// TestEdgesAreAlike: the four HTTP edges agree about the base URL, the request id, the deadline, the limit of a body,
// a panic, the access log and the security headers; an error has the format of its edge.
func TestEdgesAreAlike(t *testing.T) {
	const base = "https://scim.example.com"
	log := &lines{}
	o := quiet()
	o.Log, o.BaseURL = log, base
	s := local.New(o, watched{memory(t)}, io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme", IdP: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	a := &api{t: t, s: s, h: s.Handler(), base: base + "/scim/v2/acme", token: token.Value}
	user := a.user("ada")
	key, op := newSigner(t, "1"), operator{t, s}
	client := op.must(201, "POST", "/tenants/acme/clients", `{"jwks":{"keys":[`+key.jwk+`]}}`)
	proof := func() string {
		return key.assertionTo(t, base+"/oauth2/acme/token", client["id"].(string), "1", time.Now().Unix()+60).Encode()
	}
	link := op.must(201, "POST", "/tenants/acme/setup-links", `{"role":"admin"}`)
	setup := "/setup/" + link["id"].(string)
	entered := send(t, a.h, "POST", setup, url.Values{"code": {link["code"].(string)}}.Encode(), http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"},
	})
	cookie, _, _ := strings.Cut(entered.Header().Get("Set-Cookie"), ";")
	for _, e := range []edge{
		{
			name: "scim", method: "GET", path: "/scim/v2/acme/Users/" + user, kind: "application/scim+json",
			header: http.Header{"Authorization": {"Bearer " + token.Value}}, status: 200,
			holds: `"` + base + "/scim/v2/acme/Users/" + user + `"`, limit: 4 << 20,
			refused: "POST /scim/v2/acme/Users", failure: "application/scim+json",
			fault: `"urn:ietf:params:scim:api:messages:2.0:Error".*"status":"%d"`,
		},
		{
			name: "oauth", method: "POST", path: "/oauth2/acme/token", kind: "application/x-www-form-urlencoded",
			body: proof(), status: 200, holds: `"access_token"`, limit: 16 << 10,
			refused: "POST /oauth2/acme/token", failure: "application/json", fault: `"error":"\w+","error_description":".+"`,
		},
		{
			name: "admin", method: "GET", path: "/admin/v1/tenants/acme", kind: "application/json", status: 200,
			holds: `"` + base + `/scim/v2/acme"`, limit: 64 << 10,
			refused: "PATCH /admin/v1/tenants/acme", failure: "application/problem+json",
			fault: `"detail":".+".*"requestId":".+".*"status":%d`,
		},
		{
			name: "portal", method: "GET", path: "/portal/connect", kind: "application/x-www-form-urlencoded",
			header: http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"same-origin"}}, status: 200,
			holds: base + "/scim/v2/acme", limit: 256 << 10,
			refused: "POST " + setup, failure: "text/", fault: `.`,
		},
	} {
		t.Run(e.name, func(t *testing.T) { e.behaves(t, a.h, log) })
	}
}

// send sends a request for another host than the configured one.
func send(t testing.TB, h http.Handler, method, path, body string, header http.Header) *httptest.ResponseRecorder {
	return sendIn(t.Context(), h, method, path, body, header)
}

func sendIn(
	ctx context.Context, h http.Handler, method, path, body string, header http.Header,
) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, "http://localhost"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// behaves checks an edge.
func (e edge) behaves(t *testing.T, h http.Handler, log *lines) {
	header := e.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", e.kind)
	outer, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	end, _ := outer.Deadline()
	// with calls f in each call of the engine that an edge makes. Before the edge, the gateway looks at a token.
	with := func(f func()) context.Context {
		return context.WithValue(outer, watchKey{}, func(ctx context.Context) {
			if inner, ok := ctx.Deadline(); ok && inner.Before(end) {
				f()
			}
		})
	}

	// The panic comes first: an assertion is good for one request.
	w := sendIn(with(func() { panic("hush") }), h, e.method, e.path, e.body, header)
	line := e.checks(t, log, w, 500)
	if !strings.Contains(line, "msg=panic") || !strings.Contains(line, "stack=") {
		t.Errorf("the log of a panic: %s", line)
	}
	var asked atomic.Int64
	w = sendIn(with(func() { asked.Add(1) }), h, e.method, e.path, e.body, header)
	e.checks(t, log, w, e.status)
	if asked.Load() == 0 || !strings.Contains(w.Body.String(), e.holds) {
		t.Errorf("%d calls with a deadline; the answer lacks %s: %s", asked.Load(), e.holds, w.Body)
	}
	method, path, _ := strings.Cut(e.refused, " ")
	e.checks(t, log, send(t, h, method, path, strings.Repeat("a", e.limit+1), header), 413)
}

// checks checks an answer and returns the log of its request.
func (e edge) checks(t *testing.T, log *lines, w *httptest.ResponseRecorder, status int) string {
	t.Helper()
	id := w.Header().Get("X-Request-Id")
	var mine []string
	for line := range strings.Lines(log.String()) {
		if id != "" && strings.Contains(line, "requestId="+id) {
			mine = append(mine, line)
		}
	}
	text := strings.Join(mine, "")
	access := regexp.MustCompile(fmt.Sprintf(`msg=request requestId=%s edge=%s method=\w+ route=/\S* status=%d `,
		id, e.name, status)).FindAllString(text, -1)
	if w.Code != status || len(access) != 1 || strings.Contains(access[0], "acme") {
		t.Errorf("%d, want %d; its log: %s", w.Code, status, text)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d with the headers %v", w.Code, w.Header())
	}
	if status < 400 {
		return text
	}
	fault := e.fault
	if strings.Contains(fault, "%d") {
		fault = fmt.Sprintf(fault, status)
	}
	body := w.Body.String()
	if !strings.HasPrefix(w.Header().Get("Content-Type"), e.failure) ||
		!regexp.MustCompile(fault).MatchString(body) || strings.Contains(body, "hush") {
		t.Errorf("%d as %s: %s", w.Code, w.Header().Get("Content-Type"), body)
	}
	return text
}
