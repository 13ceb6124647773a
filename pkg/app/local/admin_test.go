package local_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/contract"
)

// caller calls the admin API, and holds each request and answer against the OpenAPI document.
type caller struct {
	t     *testing.T
	h     http.Handler
	log   *shared
	known map[string]string // values of former answers, by the name in braces
}

// shared is a buffer for several goroutines.
type shared struct {
	mu sync.Mutex
	bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Buffer.Write(p)
}

func (s *shared) line(requestID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(s.String()) {
		if strings.Contains(line, "requestId="+requestID) && strings.Contains(line, "msg=request") {
			return line
		}
	}
	return ""
}

var braces = regexp.MustCompile(`<([a-zA-Z]+)>`)

// fill puts values of former answers in the place of <name>.
func (o *caller) fill(text string) string {
	return braces.ReplaceAllStringFunc(text, func(name string) string { return o.known[name[1:len(name)-1]] })
}

// step is one request. keep names values of the answer for later steps: "name=path.to.value".
type step struct {
	status             int
	method, path, body string
	keep               []string
}

// do carries out a step and returns the request id.
func (o *caller) do(s step) string {
	o.t.Helper()
	r := httptest.NewRequest(s.method, "http://localhost/admin/v1"+o.fill(s.path), strings.NewReader(o.fill(s.body)))
	r.RemoteAddr = "127.0.0.1:4711"
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	if w.Code != s.status {
		o.t.Fatalf("%s %s %s: %d %s, want %d", s.method, o.fill(s.path), o.fill(s.body), w.Code, w.Body, s.status)
	}
	for _, k := range s.keep {
		name, path, _ := strings.Cut(k, "=")
		var at any
		if err := json.Unmarshal(w.Body.Bytes(), &at); err != nil {
			o.t.Fatal(err)
		}
		for key := range strings.SplitSeq(path, ".") {
			if list, is := at.([]any); is {
				at = list[0]
			}
			at = at.(object)[key]
		}
		o.known[name], _ = at.(string)
	}
	return w.Header().Get("X-Request-Id")
}

// dialogue has every operation of the admin API once.
var dialogue = []step{
	{200, "GET", "/openapi.json", "", nil},
	{200, "GET", "/clock", "", nil},
	{200, "GET", "/tenants?name=ac", "", nil},
	{200, "GET", "/tenants/acme", "", nil},
	{200, "PATCH", "/tenants/acme", `{"name":"Acme Ltd","settings":{"token":{"lifetimeDays":90}}}`, nil},
	{200, "GET", "/tenants/acme/tokens", "", nil},
	{201, "POST", "/tenants/acme/tokens", `{"scopes":["read"]}`, []string{"token=id"}},
	{200, "GET", "/tenants/acme/tokens/<token>", "", nil},
	{200, "PATCH", "/tenants/acme/tokens/<token>", `{"expiresAt":"<end>"}`, nil},
	{200, "POST", "/tenants/acme/tokens/<token>/reveal", "", nil},
	{204, "DELETE", "/tenants/acme/tokens/<token>", "", nil},
	{200, "POST", "/tenants/acme/rotation", `{"action":"start"}`, nil},
	{202, "POST", "/tenants/acme/notices", `{"kind":"test"}`, nil},
	{200, "GET", "/tenants/acme/notices", "", nil},

	{201, "POST", "/clients", `{"name":"Catalogue"}`, []string{"client=id", "secret=secrets.id"}},
	{200, "GET", "/clients", "", nil},
	{200, "GET", "/clients/<client>", "", nil},
	{200, "POST", "/clients/<client>", "", nil},
	{204, "DELETE", "/clients/<client>/secrets/<secret>", "", nil},
	{204, "DELETE", "/clients/<client>", "", nil},
	{201, "POST", "/tenants/acme/clients", "", []string{"client=id", "secret=secrets.id"}},
	{200, "GET", "/tenants/acme/clients", "", nil},
	{200, "GET", "/tenants/acme/clients/<client>", "", nil},
	{200, "POST", "/tenants/acme/clients/<client>", "", nil},
	{204, "DELETE", "/tenants/acme/clients/<client>/secrets/<secret>", "", nil},
	{204, "DELETE", "/tenants/acme/clients/<client>", "", nil},

	{201, "PUT", "/tenants/acme/schemas/urn:example:Device", `{"attributes":[{"name":"serial"}]}`, nil},
	{200, "GET", "/tenants/acme/schemas/urn:example:Device", "", nil},
	{200, "GET", "/tenants/acme/schemas", "", nil},
	{201, "PUT", "/tenants/acme/resource-types/Device", `{"endpoint":"/Devices","schema":"urn:example:Device"}`, nil},
	{200, "GET", "/tenants/acme/resource-types/Device", "", nil},
	{200, "GET", "/tenants/acme/resource-types", "", nil},
	{204, "DELETE", "/tenants/acme/resource-types/Device", "", nil},
	{204, "DELETE", "/tenants/acme/schemas/urn:example:Device", "", nil},

	{201, "POST", "/tenants/acme/domains", `{"name":"example.com"}`, nil},
	{200, "POST", "/tenants/acme/domains", `{"name":"example.com"}`, nil},
	{200, "GET", "/tenants/acme/domains", "", nil},
	{200, "GET", "/tenants/acme/domains/example.com", "", nil},
	{200, "POST", "/tenants/acme/domains/example.com/verify", `{"override":true}`, nil},
	{204, "DELETE", "/tenants/acme/domains/example.com", "", nil},

	{201, "POST", "/tenants/acme/setup-links", `{"role":"reader","language":"de"}`, []string{"link=id"}},
	{200, "GET", "/tenants/acme/setup-links", "", nil},
	{200, "GET", "/tenants/acme/setup-links/<link>", "", nil},
	{204, "DELETE", "/tenants/acme/setup-links/<link>", "", nil},

	{200, "GET", "/policy-presets", "", nil},
	{200, "GET", "/policy-presets/sally", "", nil},
	{200, "GET", "/tenants/acme/policy", "", nil},
	{200, "POST", "/tenants/acme/policy/rehearse", rolesPolicy, nil},
	{200, "PUT", "/tenants/acme/policy", rolesPolicy, nil},
	{200, "GET", "/tenants/acme/policy", "", nil},
	{200, "GET", "/tenants/acme/policy/status", "", nil},
	{200, "GET", "/tenants/acme/guard", "", nil},
	{200, "POST", "/tenants/acme/guard", `{"decision":"allow"}`, nil},

	{200, "PUT", "/tenants/acme/targets/role/admin", `{"displayName":"Administrators","seats":{"size":3}}`, nil},
	{200, "GET", "/tenants/acme/targets/role/admin", "", nil},
	{200, "GET", "/tenants/acme/targets?kind=role", "", nil},
	{200, "GET", "/tenants/acme/members?filter=userName%20eq%20%22jim%22", "", []string{"member=members.id"}},
	{200, "GET", "/tenants/acme/members/<member>", "", nil},
	{204, "PUT", "/tenants/acme/members/<member>/assignments/role/admin", "", nil},
	{200, "GET", "/tenants/acme/members/<member>/why", "", nil},
	{204, "DELETE", "/tenants/acme/members/<member>/assignments/role/admin", "", nil},
	{204, "DELETE", "/tenants/acme/targets/role/admin", "", nil},
	{200, "PUT", "/tenants/acme/members/<member>/account", `{"accountId":"a-1"}`, nil},
	{200, "POST", "/tenants/acme/members/<member>/invite", "", nil},
	{200, "POST", "/tenants/acme/members/invite", `{"filter":"userName eq \"jim\""}`, nil},
	{200, "GET", "/tenants/acme/members/duplicates", "", nil},
	{200, "POST", "/tenants/acme/accounts", `{"accounts":[{"accountId":"a-2","userName":"ada"}]}`, nil},
	{200, "GET", "/tenants/acme/pending", "", nil},
	{200, "POST", "/tenants/acme/members/<twin>/merge", `{"into":"<member>"}`, nil},
	{204, "DELETE", "/tenants/acme/members/<erased>", "", nil},

	{200, "GET", "/tenants/acme/events?count=10&wait=0", "", nil},
	{200, "GET", "/tenants/acme/log?filter=operation%20eq%20%22admin%22", "", []string{"entry=entries.id"}},
	{200, "GET", "/tenants/acme/log/<entry>?language=de", "", nil},
	{201, "POST", "/tenants", `{"id":"third","name":"Third"}`, nil},
	{200, "GET", "/log", "", []string{"entry=entries.id"}},
	{200, "GET", "/log/<entry>", "", nil},
	{200, "GET", "/tenants/acme/activity?days=1", "", nil},
	{200, "GET", "/tenants/acme/diagnosis", "", nil},
	{200, "GET", "/tenants/acme/stale-attributes", "", nil},

	{201, "POST", "/webhooks", `{"url":"<receiver>","types":["*"]}`, []string{"hook=id"}},
	{200, "GET", "/webhooks", "", nil},
	{200, "GET", "/webhooks/<hook>?tenant=acme", "", nil},
	{200, "PATCH", "/webhooks/<hook>", `{"description":"all"}`, nil},
	{200, "POST", "/webhooks/<hook>/test", "", nil},
	{202, "POST", "/webhooks/<hook>/replay", `{"after":0,"tenant":"acme"}`, nil},
	{200, "POST", "/webhooks/<hook>/rotate-secret", "", nil},
	{204, "DELETE", "/webhooks/<hook>", "", nil},
	{201, "POST", "/tenants/acme/webhooks", `{"url":"<receiver>","types":["member.*"]}`, []string{"hook=id"}},
	{200, "GET", "/tenants/acme/webhooks", "", nil},
	{200, "GET", "/tenants/acme/webhooks/<hook>", "", nil},
	{200, "PATCH", "/tenants/acme/webhooks/<hook>", `{"active":false}`, nil},
	{200, "POST", "/tenants/acme/webhooks/<hook>/test", "", nil},
	{202, "POST", "/tenants/acme/webhooks/<hook>/replay", `{"after":0}`, nil},
	{200, "POST", "/tenants/acme/webhooks/<hook>/rotate-secret", "", nil},
	{204, "DELETE", "/tenants/acme/webhooks/<hook>", "", nil},

	{200, "POST", "/tenants/acme/disconnect", "", nil},
	{200, "PUT", "/clock", `{"now":"<later>"}`, nil},
	{202, "DELETE", "/tenants/other", "", nil},
}

const rolesPolicy = `{"kinds":{"role":{}},"requests":{"guard":{"people":50,"percent":10,"minutes":60}}}`

// TestWholeAdminAPI: each operation of the OpenAPI document is answered as the document says, and each request is in
// the process log. Each change and each reveal is also in the tenant's log, or in the operator's, once, with its
// caller, request id and result: if it is carried out, if its condition fails, and if it is refused.
func TestWholeAdminAPI(t *testing.T) {
	described, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	log := &shared{}
	options := quiet()
	options.Log, options.WebhookLoopback = log, true
	s := local.New(options, memory(t), io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	o := &caller{t: t, h: described.Handler(t, s.Handler()), log: log, known: map[string]string{
		"receiver": receiver.URL + "/", "end": "2027-01-31T00:00:00Z", "later": "2027-01-01T00:00:00Z",
	}}
	w := &witness{caller: o, described: described}
	o.h = w.listen(o.h)
	w.do(step{201, "POST", "/tenants", `{"id":"other","name":"Other"}`, nil})
	w.do(step{201, "POST", "/tenants", `{"id":"acme","name":"Acme"}`, []string{"value=token.value"}})
	a := &api{t: t, s: s, h: s.Handler(), base: "http://scim.example.com/scim/v2/acme", token: o.known["value"]}
	a.user("jim")
	o.known["twin"], o.known["erased"] = a.user("twin"), a.user("erased")
	o.do(step{200, "GET", "/tenants/acme/members", "", nil}) // publishes them
	a.must(204, "DELETE", "/Users/"+o.known["erased"], "")
	for _, s := range dialogue {
		w.refuse(s)
		line := log.line(w.do(s))
		if !strings.Contains(line, "caller=local") || !strings.Contains(line, "route=/admin/v1/") {
			t.Errorf("%s %s: the process log says %q", s.method, s.path, line)
		}
	}
	if unseen := described.Unseen(); len(unseen) > 0 {
		t.Errorf("these operations were not called: %q", unseen)
	}
	w.check("/tenants/acme")
	w.check("")
	w.caused()
	w.secretless(log.String())
	if len(w.told) < 130 || len(w.secrets) < 10 {
		t.Errorf("%d changes, %d secrets", len(w.told), len(w.secrets))
	}
}
