package adminhttp_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp"
	"github.com/serverless-scim/serverless-scim/pkg/internal/contract"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// server is the admin API on a table in memory, over HTTP.
type server struct {
	t       *testing.T
	url     string
	tenants *tenant.Service
	mu      sync.Mutex
	now     time.Time
}

// described is the OpenAPI document, which every request of these tests is held against.
func described(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var compiled = sync.OnceValues(contract.New)

func newServer(t *testing.T, baseURL string) *server {
	t.Helper()
	s := &server{t: t, now: start}
	clock := func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.now
	}
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	s.tenants = tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: clock})
	h := adminhttp.New(adminhttp.Config{
		Tenants: s.tenants, BaseURL: baseURL,
	})
	web := httptest.NewServer(described(t).Handler(t, h))
	t.Cleanup(web.Close)
	s.url = web.URL
	return s
}

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

// do sends a request; an empty body is none.
func (s *server) do(method, path, body string) reply {
	s.t.Helper()
	return s.send(method, path, body, "application/json")
}

func (s *server) send(method, path, body, contentType string) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Body.Close()
	data, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	got := reply{status: w.StatusCode, header: w.Header, text: string(data)}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &got.body); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, data)
		}
	}
	return got
}

// want fails the test unless a request has a status, and its body these keys; an error must be a problem.
func (s *server) want(status int, keys, method, path, body string) reply {
	s.t.Helper()
	got := s.do(method, path, body)
	if got.status != status {
		s.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, got.status, got.text, status)
	}
	if have := strings.Join(slices.Sorted(maps.Keys(got.body)), " "); have != keys {
		s.t.Errorf("%s %s: keys %q, want %q", method, path, have, keys)
	}
	if got.header.Get("Cache-Control") != "no-store" {
		s.t.Errorf("%s %s: Cache-Control %q", method, path, got.header.Get("Cache-Control"))
	}
	if status >= 400 {
		got.problem(s.t)
	}
	return got
}

const problem = "detail requestId status title"

func (r reply) problem(t *testing.T) {
	t.Helper()
	detail, _ := r.body["detail"].(string)
	if r.header.Get("Content-Type") != "application/problem+json" || r.body["status"] != float64(r.status) ||
		r.body["title"] != http.StatusText(r.status) || detail == "" {
		t.Errorf("no problem details: %s %s", r.header.Get("Content-Type"), r.text)
	}
}

func TestTenants(t *testing.T) {
	s := newServer(t, "")
	const shown = "active createdAt id idp name scimBaseUrl settings"
	made := s.want(201, shown+" token", "POST", "/admin/v1/tenants",
		`{"id":"acme","name":"Acme <&> Söhne","idp":"okta","settings":{"scim":{"patchBody":"none"}}}`)
	if made.header.Get("Location") != "/admin/v1/tenants/acme" ||
		made.header.Get("Content-Type") != "application/json" {
		t.Errorf("header %v", made.header)
	}
	if made.body["id"] != "acme" || made.body["idp"] != "okta" || made.body["active"] != true ||
		made.body["name"] != "Acme <&> Söhne" ||
		made.body["scimBaseUrl"] != s.url+"/scim/v2/acme" ||
		fmt.Sprint(made.body["settings"]) != "map[scim:map[patchBody:none]]" {
		t.Errorf("made %s", made.text)
	}
	token, _ := made.body["token"].(map[string]any)
	if token["createdAt"] != "2026-11-22T08:00:00Z" || token["expiresAt"] != "2027-05-21T08:00:00Z" || len(token) != 4 {
		t.Errorf("token %v", token)
	}
	if _, ok := tenant.ParseToken(fmt.Sprint(token["value"])); !ok {
		t.Errorf("token %v", token)
	}
	s.want(409, problem, "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`)

	got := s.want(200, shown, "GET", "/admin/v1/tenants/acme", "")
	if strings.Contains(got.text, fmt.Sprint(token["value"])) {
		t.Error("GET shows the token's value")
	}
	changed := s.want(200, shown, "PATCH", "/admin/v1/tenants/acme",
		`{"active":false,"idp":"entra","settings":{"scim":{"uniqueGroupNames":false}}}`)
	if changed.body["active"] != false || changed.body["idp"] != "entra" ||
		fmt.Sprint(changed.body["settings"]) != "map[scim:map[patchBody:none uniqueGroupNames:false]]" {
		t.Errorf("changed %s", changed.text)
	}
	if again := s.want(200, shown, "GET", "/admin/v1/tenants/acme", ""); again.text != changed.text {
		t.Errorf("read back %s", again.text)
	}

	made = s.want(201, shown+" token", "POST", "/admin/v1/tenants", `{"name":"no id"}`)
	if id := fmt.Sprint(made.body["id"]); made.body["idp"] != "generic" || !regexp.MustCompile(`^[a-z0-9-]{3,40}$`).
		MatchString(id) {
		t.Errorf("made %s", made.text)
	}
}

func TestTenantList(t *testing.T) {
	s := newServer(t, "https://scim.example.com/")
	if none := s.want(200, "tenants", "GET", "/admin/v1/tenants", ""); none.text != `{"tenants":[]}` {
		t.Errorf("none: %s", none.text)
	}
	for i := range 5 {
		s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants",
			fmt.Sprintf(`{"id":"t-%d","name":"x"}`, i))
	}
	var ids []string
	path := "/admin/v1/tenants?count=2"
	for range 2 {
		page := s.want(200, "nextCursor tenants", "GET", path, "")
		for _, e := range page.body["tenants"].([]any) {
			ids = append(ids, e.(map[string]any)["scimBaseUrl"].(string))
		}
		path = "/admin/v1/tenants?count=2&cursor=" + page.body["nextCursor"].(string)
	}
	last := s.want(200, "tenants", "GET", path, "")
	if len(last.body["tenants"].([]any)) != 1 || !slices.Equal(ids, []string{
		"https://scim.example.com/scim/v2/t-0", "https://scim.example.com/scim/v2/t-1",
		"https://scim.example.com/scim/v2/t-2", "https://scim.example.com/scim/v2/t-3",
	}) {
		t.Errorf("pages %v, then %s", ids, last.text)
	}
	for _, query := range []string{
		"count=0", "count=-1", "count=x", "count=", "cursor=!", "count=99999999999999999999",
		"cursor=%zz", "count=2;cursor=x", "other=1", "count=1&count=2",
	} {
		s.want(400, problem, "GET", "/admin/v1/tenants?"+query, "")
	}
	s.want(200, "tenants", "GET", "/admin/v1/tenants?count=100000", "")
}

// TestTenantsByName: tenants are found by the beginning of their names, page by page, upper or lower case.
func TestTenantsByName(t *testing.T) {
	s := newServer(t, "")
	for i, name := range []string{"Acme", "Über AG", "acme Süd", "ACME Nord", "Other Acme"} {
		s.do("POST", "/admin/v1/tenants", fmt.Sprintf(`{"id":"t-%d","name":%q}`, i, name))
	}
	for query, want := range map[string]string{
		"name=acme": "t-0 t-2 t-3", "name=acme%20s": "t-2", "name=%C3%BCber": "t-1", "name=zebra": "",
		"name=":             "t-0 t-1 t-2 t-3 t-4",
		"name=acme&count=1": "t-0 t-2 t-3", "name=acme&count=2": "t-0 t-2 t-3", "name=acme&count=3": "t-0 t-2 t-3",
	} {
		var ids []string
		for path := "/admin/v1/tenants?" + query; path != ""; {
			page := s.do("GET", path, "")
			for _, e := range page.body["tenants"].([]any) {
				ids = append(ids, e.(map[string]any)["id"].(string))
			}
			path = ""
			if next, more := page.body["nextCursor"].(string); more {
				path = "/admin/v1/tenants?" + query + "&cursor=" + next
			}
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

func TestTokens(t *testing.T) {
	s := newServer(t, "")
	made := s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants",
		`{"id":"acme","name":"x"}`)
	first := made.body["token"].(map[string]any)
	path := "/admin/v1/tenants/acme/tokens"
	second := s.want(201, "createdAt expiresAt id value", "POST", path,
		`{"scopes":["read"],"expiresAt":"2027-01-01T01:00:00+01:00"}`)
	if second.body["expiresAt"] != "2027-01-01T00:00:00Z" || second.header.Get("Location") != path+"/"+
		second.body["id"].(string) {
		t.Errorf("second %s", second.text)
	}
	s.want(409, problem, "POST", path, "")
	s.tenants.Touch(t.Context(), "acme", first["id"].(string))
	list := s.want(200, "tokens", "GET", path, "")
	want := fmt.Sprintf(`{"tokens":[`+
		`{"id":%q,"createdAt":"2026-11-22T08:00:00Z","expiresAt":"2027-05-21T08:00:00Z",`+
		`"firstUsedAt":"2026-11-22T08:00:00Z","lastUsedAt":"2026-11-22T08:00:00Z","scopes":["read","write"],`+
		`"state":"active"},`+
		`{"id":%q,"createdAt":"2026-11-22T08:00:00Z","expiresAt":"2027-01-01T00:00:00Z","firstUsedAt":null,`+
		`"lastUsedAt":null,"scopes":["read"],"state":"successor"}]}`,
		first["id"], second.body["id"])
	if list.text != want {
		t.Errorf("got  %s\nwant %s", list.text, want)
	}
	for _, token := range []map[string]any{first, second.body} {
		shown := s.want(200, "id value", "POST", path+"/"+token["id"].(string)+"/reveal", "")
		if shown.body["value"] != token["value"] {
			t.Errorf("shown %s", shown.text)
		}
	}
	one := path + "/" + first["id"].(string)
	for range 2 {
		s.want(204, "", "DELETE", one+"?force=true", "") // it is in use
	}
	s.want(409, problem, "POST", one+"/reveal", "")
	s.want(201, "createdAt expiresAt id value", "POST", path, "{}")
	list = s.want(200, "tokens", "GET", path, "")
	var states []string
	for _, e := range list.body["tokens"].([]any) {
		states = append(states, e.(map[string]any)["state"].(string))
	}
	if !slices.Equal(states, []string{"revoked", "active", "successor"}) {
		t.Errorf("states %v", states)
	}
	s.mu.Lock()
	s.now = start.Add(100 * 24 * time.Hour)
	s.mu.Unlock()
	if list = s.want(200, "tokens", "GET", path, ""); len(list.body["tokens"].([]any)) != 2 ||
		!strings.Contains(list.text, `"expired"`) {
		t.Errorf("100 days later: %s", list.text)
	}
}

func TestDelete(t *testing.T) {
	s := newServer(t, "")
	s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`)
	s.want(202, "", "DELETE", "/admin/v1/tenants/acme", "")
	s.want(404, problem, "GET", "/admin/v1/tenants/acme", "")
	s.want(404, problem, "DELETE", "/admin/v1/tenants/acme", "")
	s.want(409, problem, "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`)
	if err := s.tenants.Finish(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`)
}

func TestBadRequests(t *testing.T) {
	s := newServer(t, "")
	made := s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants",
		`{"id":"acme","name":"x"}`)
	before := s.want(200, "active createdAt id idp name scimBaseUrl settings", "GET", "/admin/v1/tenants/acme", "").text
	tokenID := made.body["token"].(map[string]any)["id"].(string)
	tenants, one, tokens := "/admin/v1/tenants", "/admin/v1/tenants/acme", "/admin/v1/tenants/acme/tokens"
	for _, c := range []struct {
		status             int
		method, path, body string
	}{
		{400, "POST", tenants, ``},
		{400, "POST", tenants, `{}`},
		{400, "POST", tenants, `[]`},
		{400, "POST", tenants, `null`},
		{400, "POST", tenants, `{"name":"x"} {}`},
		{400, "POST", tenants, `{"name":"x","name":"y"}`},
		{400, "POST", tenants, `{"name":"x","Id":"abc"}`},
		{400, "POST", tenants, `{"name":"x","active":true}`},
		{400, "POST", tenants, `{"name":1}`},
		{400, "POST", tenants, "{\"name\":\"\xff\"}"},
		{400, "POST", tenants, `{"name":"x","id":""}`},
		{400, "POST", tenants, `{"name":"x","id":7}`},
		{400, "POST", tenants, `{"name":"x","id":"A"}`},
		{400, "POST", tenants, `{"name":"x","id":"../etc"}`},
		{400, "POST", tenants, `{"name":"x","idp":"nobody"}`},
		{400, "POST", tenants, `{"name":"x","settings":[]}`},
		{400, "POST", tenants, `{"name":"x","settings":{"scim":{"patchbody":"full"}}}`},
		{400, "POST", tenants, `{"name":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`},
		{413, "POST", tenants, `{"name":"` + strings.Repeat("x", 64<<10) + `"}`},
		{400, "PATCH", one, `{"id":"other"}`},
		{400, "PATCH", one, `{"name":null}`},
		{400, "PATCH", one, `{"active":"false"}`},
		{400, "PATCH", one, `{"settings":{"other":1}}`},
		{400, "PATCH", one, `{"settings":{"scim":{"uniqueGroupNames":1}}}`},
		{404, "PATCH", tenants + "/nobody", `{}`},
		{400, "POST", tokens, `{"scopes":[]}`},
		{400, "POST", tokens, `{"scopes":null}`},
		{400, "POST", tokens, `{"scopes":["read",1]}`},
		{400, "POST", tokens, `{"scopes":["admin"]}`},
		{400, "POST", tokens, `{"expiresAt":null}`},
		{400, "POST", tokens, `{"expiresAt":"none"}`},
		{400, "POST", tokens, `{"expiresAt":"2026-11-22T08:00:00Z"}`},
		{400, "POST", tokens, `{"expiresAt":"2999-01-01T00:00:00Z"}`},
		{400, "POST", tokens, `{"expiresAt":"0001-01-01T00:00:00Z"}`},
		{400, "POST", tokens, `{"expiresAt":1}`},
		{400, "POST", tokens, `{"lifetime":1}`},
		{404, "POST", tenants + "/nobody/tokens", ``},
		{404, "GET", tenants + "/nobody/tokens", ``},
		{404, "DELETE", tokens + "/nobody", ``},
		{404, "DELETE", tenants + "/nobody/tokens/" + tokenID, ``},
		{404, "POST", tokens + "/nobody/reveal", ``},
		{404, "GET", tenants + "/nobody", ``},
		{404, "GET", tenants + "/a%23U", ``},
		{404, "GET", tenants + "/a%2Fb", ``},
		{404, "GET", tenants + "/", ``},
		{404, "GET", "/admin/v1", ``},
		{404, "GET", "/admin/v1//tenants", ``},
		{404, "GET", "/admin/v1/tenants/../tenants", ``},
		{404, "GET", "/other", ``},
		{405, "PUT", tenants, `{}`},
		{405, "DELETE", tenants, ``},
		{405, "POST", one, `{}`},
		{405, "PUT", tokens + "/" + tokenID, `{}`},
		{405, "GET", tokens + "/" + tokenID + "/reveal", ``},
	} {
		got := s.want(c.status, problem, c.method, c.path, c.body)
		if (c.status == 405) != (got.header.Get("Allow") != "") {
			t.Errorf("%s %s: Allow %q", c.method, c.path, got.header.Get("Allow"))
		}
	}
	for mediaType, status := range map[string]int{
		"": 200, "application/merge-patch+json": 200, "application/json; charset=utf-8": 200, "text/plain": 415,
		"application/x-www-form-urlencoded": 415, ";": 415,
	} {
		if got := s.send("PATCH", one, `{}`, mediaType); got.status != status {
			t.Errorf("%q: %d %s", mediaType, got.status, got.text)
		}
	}
	if after := s.want(200, "active createdAt id idp name scimBaseUrl settings", "GET", one, ""); after.text != before {
		t.Errorf("changed to %s", after.text)
	}
	if list := s.want(200, "tokens", "GET", tokens, ""); len(list.body["tokens"].([]any)) != 1 {
		t.Errorf("tokens %s", list.text)
	}
}

func TestParallelTokens(t *testing.T) {
	s := newServer(t, "")
	s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`)
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			got := s.do("POST", "/admin/v1/tenants/acme/tokens", "")
			mu.Lock()
			defer mu.Unlock()
			statuses[got.status]++
		})
	}
	wg.Wait()
	if statuses[201] != 1 || statuses[409] != 15 {
		t.Errorf("statuses %v, want one 201 and 15 times 409", statuses)
	}
}

func TestHead(t *testing.T) {
	s := newServer(t, "")
	if got := s.do("HEAD", "/admin/v1/tenants", ""); got.status != 200 || got.text != "" ||
		got.header.Get("Content-Length") == "0" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

// TestDocumentedError: the error that the documentation shows is the one that is answered.
func TestDocumentedError(t *testing.T) {
	s := newServer(t, "")
	got := s.want(400, problem, "POST", "/admin/v1/tenants", `{"name":"Acme","settings":{"colour":"red"}}`)
	text, err := os.ReadFile("../../docs/admin-api.md")
	if err != nil {
		t.Fatal(err)
	}
	// Lines of the documentation are broken, between two fields.
	shown := strings.ReplaceAll(string(text), ",\n \"", ",\"")
	answer := strings.ReplaceAll(got.text, got.header.Get("X-Request-Id"), "GS4SSAU6O6FIO7GVK4WIMIKC5Z")
	if !strings.Contains(shown, "\n"+strings.TrimSpace(answer)+"\n") {
		t.Errorf("docs/admin-api.md does not have %s", got.text)
	}
}

// TestNamesAreWhatTheyLookLike: a name that people type has no control characters, and no formatting characters with
// which it could pass for another.
func TestNamesAreWhatTheyLookLike(t *testing.T) {
	s := newServer(t, "")
	s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`)
	for name, good := range map[string]bool{
		`Acme \u202egro.live`: false, `\u200eAcme`: false, `A\u2066c\u2069me`: false, `A\u061cme`: false,
		`A\u2028B`: false, `A\u2029B`: false, `A\u0085B`: false, `A\u0001B`: false, `A\u007fB`: false, `A\nB`: false,
		`A\u200bB`: false, `\ufeffA`: false, `A\u00adB`: false, `\udb40\udc41A`: false,
		`می\u200cخواهم`: true, `क\u094d\u200dष`: true, `👩\u200d💻 Söhne & Töchter`: true, `עברית`: true, `日本語`: true,
	} {
		for _, c := range []struct {
			method, path string
			status       int
		}{
			{"POST", "/tenants", 201},
			{"PATCH", "/tenants/acme", 200},
			{"POST", "/tenants/acme/clients", 201},
			{"POST", "/clients", 201},
		} {
			if !good {
				c.status = 400
			}
			got := s.do(c.method, "/admin/v1"+c.path, `{"name":"`+name+`"}`)
			if got.status != c.status || !good && !strings.Contains(got.text, "control or formatting characters") {
				t.Errorf("%s %s with the name %s: %d %s", c.method, c.path, name, got.status, got.text)
			}
			if id, _ := got.body["id"].(string); good && strings.HasSuffix(c.path, "/clients") {
				s.want(204, "", "DELETE", "/admin/v1"+c.path+"/"+id, "") // there may not be many
			}
		}
	}
}
