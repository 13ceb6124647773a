package sequence

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// most is the number of requests of a sequence.
const most = 8

// input takes choices from bytes; when they are used up, each choice is the first.
type input struct{ left []byte }

func (in *input) n(n int) int {
	if len(in.left) == 0 {
		return 0
	}
	b := in.left[0]
	in.left = in.left[1:]
	return int(b) % n
}

func (in *input) of(list ...string) string { return list[in.n(len(list))] }

// raw takes some bytes as they are.
func (in *input) raw() string {
	n := min(in.n(24), len(in.left))
	text := string(in.left[:n])
	in.left = in.left[n:]
	return text
}

// sequence is the state of one input: a tenant of its own on a server that all inputs share.
type sequence struct {
	*input
	t      *testing.T
	world  *filled.World
	cookie string   // of an administrator's session in the portal
	ids    []string // that answers named, and one that nobody has
	tags   []string
}

func (s *sequence) id() string  { return s.of(s.ids...) }
func (s *sequence) tag() string { return s.of(s.tags...) }

// value is JSON of any kind, good and bad.
func (s *sequence) value(depth int) string {
	switch s.n(10) {
	case 0:
		return s.of("true", "false", "null", `"False"`, "0", "-1", "1e400", "12345678901234567890")
	case 1, 2:
		return fmt.Sprintf("%q", s.of("a", "ann", "b@example.com", "", "ü", "2030-01-01T00:00:00Z"))
	case 3:
		return fmt.Sprintf("%q", s.id())
	case 4:
		text, _ := json.Marshal(s.raw())
		return string(text)
	case 5:
		return s.raw()
	case 6, 7:
		if depth > 0 {
			return "[" + s.value(depth-1) + "," + s.value(depth-1) + "]"
		}
		return "[]"
	}
	if depth > 0 {
		return "{" + s.pair(depth-1) + "," + s.pair(depth-1) + "}"
	}
	return fmt.Sprintf(`{"value":%q}`, s.id())
}

func (s *sequence) pair(depth int) string {
	name := s.of("userName", "displayName", "active", "emails", "members", "name", "externalId",
		"value", "schemas", "id", "meta", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
		"manager", "title", "primary", "type", "settings", "expiresAt", "kinds", "rules", "seats", s.raw())
	return fmt.Sprintf("%q:%s", name, s.value(depth))
}

func (s *sequence) operation() string {
	path := s.of("members", "active", "emails", "emails[type eq \"work\"].value", "name.givenName", "displayName",
		"userName", "externalId", `members[value eq "`+s.id()+`"]`, "title", "meta", s.raw())
	return fmt.Sprintf(`{"op":%q,"path":%q,"value":%s}`, s.of("add", "replace", "remove", "Add", "x"), path, s.value(2))
}

// body is one that is nearly right, or any.
func (s *sequence) body() string {
	switch s.n(8) {
	case 0:
		return fmt.Sprintf(`{%s,"userName":%s,%s}`, filled.UserURN, s.value(0), s.pair(2))
	case 1:
		return fmt.Sprintf(`{%s,"displayName":%s,"members":[{"value":%q},{"value":%q}]}`, filled.GroupURN, s.value(0), s.id(),
			s.id())
	case 2, 3:
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + s.operation() + "," +
			s.operation() + `]}`
	case 4:
		return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
			{"method":%q,"path":%q,"bulkId":"x","data":{%s,"userName":%s}},
			{"method":"POST","path":"/Groups","bulkId":"y","data":{%s,"displayName":%s,"members":[{"value":"bulkId:x"}]}}]}`,
			s.of("POST", "PUT", "DELETE", "PATCH"), s.of("/Users", "/Users/"+s.id(), "/Groups/"+s.id(), s.raw()),
			filled.UserURN, s.value(0), filled.GroupURN, s.value(0))
	case 5:
		return s.raw()
	}
	return s.value(3)
}

func (s *sequence) query() string {
	name := s.of("", "filter", "count", "startIndex", "attributes", "excludedAttributes", "sortBy",
		"cursor", "sortOrder")
	if name == "" {
		return ""
	}
	value := s.of("userName eq \"a\"", "1", "-1", "members", "id", "not (active eq true) or title pr", "descending",
		`groups.value eq "`+s.id()+`"`, "emails[type eq \"work\" and value co \"a\"]", s.raw())
	return "?" + name + "=" + url.QueryEscape(value)
}

// edge is a kind of interface, each with its own form of requests and answers.
type edge int

const (
	scimEdge edge = iota
	adminEdge
	portalEdge
	oauthEdge
)

// target is the edge, method and path of the next request.
func (s *sequence) target() (edge, string, string) {
	method, tenant := s.of("POST", "GET", "PATCH", "PUT", "DELETE"), s.of(s.world.Tenant, s.world.Tenant, "other")
	switch s.n(8) {
	case 3, 4:
		path := s.of("", "/tokens", "/clients", "/schemas/urn:x:y", "/resource-types/User",
			"/domains", "/domains/example.com/verify", "/setup-links",
			"/members", "/members/"+s.id(), "/members/"+s.id()+"/account", "/members/invite", "/accounts",
			"/targets/role/x", "/policy", "/policy/rehearse", "/guard", "/events", "/webhooks", "/log",
			"/pending", "/rotation", "/disconnect", "/diagnosis", "/activity",
			"/clients/"+s.id(), "/webhooks/"+s.id(), "/"+url.PathEscape(s.raw()))
		return adminEdge, method, "/admin/v1/tenants/" + s.world.Tenant + path
	case 5:
		method, page, _ := strings.Cut(s.of(pages...), " ")
		return portalEdge, method, "/portal/" + strings.ReplaceAll(page, "{id}", url.PathEscape(s.id()))
	case 6:
		return oauthEdge, "POST", "/oauth2/" + tenant + "/token"
	}
	path := s.of("/Users", "/Users/"+s.id(), "/Groups", "/Groups/"+s.id(), "/Bulk", "/.search",
		"/Users/.search", "/Me", "/Schemas", "/ResourceTypes", "/"+url.PathEscape(s.raw()))
	return scimEdge, method, "/scim/v2/" + tenant + path
}

// pages are routes of the portal, after its root.
var pages = []string{
	"GET ", "GET connect", "POST connect/choose", "GET try", "GET token", "POST token/create", "POST token/reveal",
	"POST token/revoke", "POST token/rotate", "POST token/client", "POST token/client/end", "POST token/client/renew",
	"GET settings", "POST settings/active", "POST settings/requests", "POST settings/login", "POST settings/guard",
	"POST settings/decide", "POST settings/recipients", "POST settings/test", "POST settings/revoke",
	"POST settings/disconnect", "GET domains", "POST domains/add", "POST domains/check", "POST domains/remove",
	"GET groups", "GET groups/rule", "POST groups/rehearse", "POST groups/save", "GET members", "GET members/pending",
	"GET members/{id}", "POST members/{id}/invite", "POST members/invite", "POST members/merge", "GET activity",
	"GET activity/{id}",
}

// form is the body of a page, or of a request for an access token.
func (s *sequence) form() string {
	values := url.Values{}
	for range 3 {
		name := s.of("grant_type", "client_id", "client_secret", "client_assertion", "scope", "sure",
			"name", "id", "email", "into", "value", "filter", "active", "kind", "rule", "people", s.raw())
		values.Add(name, s.of("client_credentials", "yes", s.id(), "on", "example.com", "5", s.raw()))
	}
	return values.Encode()
}

// send makes a request of the next bytes and checks its answer.
func (s *sequence) send() {
	at, method, path := s.target()
	var body, query string
	media := "application/json"
	switch {
	case at == portalEdge || at == oauthEdge:
		body, media = s.form(), "application/x-www-form-urlencoded"
		if method == "GET" {
			query, body = "?"+body, ""
		}
	case method == "GET" || method == "DELETE":
		query = s.query()
	default:
		query, body = s.query(), s.body()
	}
	r := httptest.NewRequest(method, "http://localhost"+path+query, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", media)
	switch at {
	case scimEdge:
		r.Header.Set("Authorization", "Bearer "+s.world.Token)
	case portalEdge:
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Cookie", s.session())
	}
	switch s.n(6) {
	case 1:
		r.Header.Set("If-Match", s.tag())
	case 2:
		r.Header.Set("If-None-Match", s.tag())
	case 3:
		r.Header[s.of("If-Match", "Prefer", "Accept", "Idempotency-Key", "Content-Type")] = []string{s.raw()}
	}
	w := httptest.NewRecorder()
	s.world.Server.Handler().ServeHTTP(w, r)
	s.check(at, fmt.Sprintf("%s %s%s %s", method, path, query, body), w)
}

// session is the cookie of an administrator who has redeemed a set-up link; "" if there is no such tenant any more.
func (s *sequence) session() string {
	if s.cookie != "" {
		return s.cookie
	}
	r := httptest.NewRequest("POST", "http://localhost/admin/v1/tenants/"+s.world.Tenant+"/setup-links",
		strings.NewReader(`{"role":"admin"}`))
	r.RemoteAddr = "127.0.0.1:4711"
	w := httptest.NewRecorder()
	s.world.Server.Handler().ServeHTTP(w, r)
	l, err := scim.ParseObject(w.Body.Bytes())
	if err != nil || w.Code != 201 {
		return ""
	}
	id, code := l["id"].(string), l["code"].(string)
	r = httptest.NewRequest("POST", "http://localhost/setup/"+id,
		strings.NewReader(url.Values{"code": {code}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w = httptest.NewRecorder()
	s.world.Server.Handler().ServeHTTP(w, r)
	for _, cookie := range w.Result().Cookies() {
		if cookie.Value != "" {
			s.cookie = cookie.Name + "=" + cookie.Value
		}
	}
	if s.cookie == "" {
		s.t.Fatalf("no session: %d %s", w.Code, w.Body)
	}
	return s.cookie
}

// media are the media types that the answers of an edge may have.
var media = map[edge][]string{
	scimEdge: {"application/scim+json"}, adminEdge: {"application/json", "application/problem+json"},
	portalEdge: {"text/html", "text/plain"}, oauthEdge: {"application/json"},
}

func (s *sequence) check(at edge, request string, w *httptest.ResponseRecorder) {
	if w.Code >= 500 && w.Code != 501 {
		s.t.Errorf("%s: %d %s", request, w.Code, w.Body)
	}
	if w.Body.Len() == 0 {
		return
	}
	if kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";"); !slices.Contains(media[at], kind) {
		s.t.Errorf("%s: %d %s: %s", request, w.Code, kind, w.Body)
	}
	if at == portalEdge {
		return
	}
	o, err := scim.ParseObject(w.Body.Bytes())
	if err != nil {
		s.t.Errorf("%s: %d %v: %s", request, w.Code, err, w.Body)
	}
	if w.Code >= 400 && o["status"] == nil && o["error"] == nil {
		s.t.Errorf("%s: an error without its status: %s", request, w.Body)
	}
	if id, _ := o["id"].(string); id != "" && len(s.ids) < 9 {
		s.ids = append(s.ids, id)
	}
	if tag := w.Header().Get("ETag"); tag != "" {
		s.tags = append(s.tags, tag)
	}
}

// snapshot is the other tenant as a reader sees it.
func snapshot(w *filled.World) string {
	return fmt.Sprint(w.SCIM(200, "GET", "/Users", ""), w.SCIM(200, "GET", "/Groups", ""), w.Admin(200, "GET", "", ""))
}

// FuzzSequence: no sequence of requests gets a 5xx but 501, an answer of another form than that of its interface,
// breaks a rule of the table, or changes another tenant.
func FuzzSequence(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 2, 0, 1, 1, 2, 0, 2, 0, 0, 1, 1})
	for seed := range byte(20) {
		text := make([]byte, 200)
		for i := range text {
			text[i] = byte((i+1)*(int(seed)+3)*7919>>3) ^ seed
		}
		f.Add(text)
	}
	engine := filled.Memory(f)
	other := filled.New(f, engine, "other")
	other.Group("team", other.User("somebody", ""))
	other.Settle()
	before := snapshot(other)
	var n int
	f.Fuzz(func(t *testing.T, bytes []byte) {
		n++
		world := tenantOn(t, other, fmt.Sprint("tenant-", n))
		s := &sequence{
			input: &input{bytes}, t: t, world: world, ids: []string{"nobody"}, tags: []string{"*", `W/"1"`},
		}
		s.ids = append(s.ids, world.User("ann", ""))
		world.Settle()
		for range most {
			if len(s.left) > 0 {
				s.send()
			}
		}
		others := *other
		others.T = t
		if after := snapshot(&others); after != before {
			t.Errorf("another tenant was %s, and is %s", before, after)
		}
		world.Settle()
		found := func(f doctor.Finding) { t.Errorf("doctor: %+v", f) }
		d := doctor.New(store.New(engine, store.Options{}), doctor.Options{Finding: found})
		if err := d.Tenant(t.Context(), world.Tenant); err != nil {
			t.Error(err)
		}
	})
}

// tenantOn makes a tenant on a server.
func tenantOn(t *testing.T, on *filled.World, id string) *filled.World {
	t.Helper()
	_, token, err := on.Server.Tenants().Create(t.Context(), tenant.NewTenant{ID: id, Name: "Acme", IdP: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	return &filled.World{T: t, Server: on.Server, Tenant: id, Token: token.Value}
}
