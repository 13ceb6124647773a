package local_test

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/contract"
)

// managed is a resource as a provider for Terraform keeps it.
type managed struct {
	name string
	// make is the request that makes it; path is where it is then, if Location does not say so.
	method, collection, body, path string
	// change makes the resource as it should be: PUT takes the whole document, PATCH the attributes that are named.
	change    string
	writable  []string // of a PATCH
	undeleted int      // the status of its deletion; 0: it can't be deleted
	secret    string   // the attribute of the first answer that no other has
}

var allManaged = []managed{
	{"token", "POST", "/tokens", `{"scopes":["read"]}`, "", "PATCH", []string{"expiresAt"}, 204, "value"},
	{"client", "POST", "/clients", `{"name":"Console"}`, "", "", nil, 204, "secret"},
	{"operator's client", "POST", "/../clients", `{"name":"Catalogue"}`, "", "", nil, 204, "secret"},
	{
		"webhook", "POST", "/webhooks", `{"url":"https://app.example.com/","types":["*"]}`, "", "PATCH",
		[]string{"url", "types", "description", "active"},
		204, "secret",
	},
	{
		"operator's webhook", "POST", "/../webhooks", `{"url":"https://app.example.com/","types":["*"]}`, "", "PATCH",
		[]string{"url", "types", "description", "active"},
		204, "secret",
	},
	{"domain", "POST", "/domains", `{"name":"example.com"}`, "", "", nil, 204, ""},
	{"set-up link", "POST", "/setup-links", `{"role":"reader"}`, "", "", nil, 204, "code"},
	{
		"target", "PUT", "/targets/role/admin", `{"displayName":"One","features":["a"],"seats":{"size":5}}`,
		"/targets/role/admin", "PUT", nil, 204, "",
	},
	{
		"schema", "PUT", "/schemas/urn:example:D", `{"attributes":[{"name":"serial"}]}`, "/schemas/urn:example:D", "PUT", nil,
		204, "",
	},
	{
		"resource type", "PUT", "/resource-types/E", `{"endpoint":"/Es","schema":"urn:example:E"}`, "/resource-types/E", "PUT",
		nil, 204, "",
	},
	{"policy", "PUT", "/policy", `{"kinds":{"role":{}},"rules":[]}`, "/policy", "PUT", nil, 0, ""},
	{"tenant", "POST", "/../tenants", `{"id":"second","name":"Second"}`, "", "PATCH", []string{"name", "idp", "active", "settings"}, 202, ""},
}

// TestProviderRules: the API keeps the rules on which a provider for Terraform depends. A resource is found by the path
// that its creation named. If it is as it should be, another apply changes nothing: not the document, not its entity
// tag, and nobody is told of it. It can be deleted once, and is a 404 then. A secret is in the first answer only.
func TestProviderRules(t *testing.T) {
	a := on(t, memory(t), "generic")
	described, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	o := &caller{t: t, h: described.Handler(t, a.h), known: map[string]string{}}
	o.do(step{200, "PUT", "/tenants/acme/policy", `{"kinds":{"role":{}}}`, nil})
	if w := o.ask("PUT", "/schemas/urn:example:E", `{"attributes":[{"name":"serial"}]}`, "", ""); w.Code != 201 {
		t.Fatal(w.Body)
	}
	events := func() string {
		if err := a.s.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		var page struct{ Last json.Number }
		if err := json.Unmarshal(o.ask("GET", "/events?after=0&count=1", "", "", "").Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		return page.Last.String()
	}
	for _, m := range allManaged {
		made := o.ask(m.method, m.collection, m.body, "", "")
		if made.Code != 200 && made.Code != 201 {
			t.Fatalf("%s: %d %s", m.name, made.Code, made.Body)
		}
		path := m.path
		if path == "" {
			path = strings.TrimPrefix(made.Header().Get("Location"), "/admin/v1/tenants/acme")
			if rest, operators := strings.CutPrefix(path, "/admin/v1"); operators {
				path = "/.." + rest
			}
		}
		read := o.ask("GET", path, "", "", "")
		if read.Code != 200 || read.Header().Get("ETag") == "" {
			t.Fatalf("%s: imported from %s: %d %s", m.name, path, read.Code, read.Body)
		}
		document := decoded(t, read)
		if _, shown := document[m.secret]; m.secret != "" && (shown || decoded(t, made)[m.secret] == nil) {
			t.Errorf("%s: %s is in %s, or not in %s", m.name, m.secret, read.Body, made.Body)
		}
		if m.change != "" {
			if m.change == "PATCH" {
				maps.DeleteFunc(document, func(name string, _ any) bool { return !slices.Contains(m.writable, name) })
			}
			whole, _ := json.Marshal(document) // it was JSON
			before := events()
			if w := o.ask(m.change, path, string(whole), "If-Match", read.Header().Get("ETag")); w.Code != 200 {
				t.Errorf("%s: applied again: %d %s", m.name, w.Code, w.Body)
			}
			again := o.ask("GET", path, "", "", "")
			if again.Body.String() != read.Body.String() || again.Header().Get("ETag") != read.Header().Get("ETag") ||
				events() != before {
				t.Errorf("%s: was %s %s at %s, and is %s %s at %s", m.name, read.Body,
					read.Header().Get("ETag"), before, again.Body, again.Header().Get("ETag"), events())
			}
		}
		if m.undeleted == 0 {
			continue
		}
		if w := o.ask("DELETE", path, "", "", ""); w.Code != m.undeleted {
			t.Errorf("%s: deleted: %d %s", m.name, w.Code, w.Body)
		}
		if again := o.ask("DELETE", path, "", "", ""); again.Code != 404 && again.Code != m.undeleted {
			t.Errorf("%s: deleted twice: %d %s", m.name, again.Code, again.Body)
		}
	}
}

func decoded(t *testing.T, w *httptest.ResponseRecorder) (o object) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return o
}
