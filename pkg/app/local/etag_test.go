package local_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/contract"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// ask sends a request to the admin API with one more header, and returns the answer. A path is one of the tenant acme;
// behind "/.." it is one of the operator.
func (o *caller) ask(method, path, body, header, value string) *httptest.ResponseRecorder {
	o.t.Helper()
	under := "http://localhost/admin/v1/tenants/acme"
	if rest, operators := strings.CutPrefix(path, "/.."); operators {
		under, path = "http://localhost/admin/v1", rest
	}
	r := httptest.NewRequest(method, under+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	if header != "" {
		r.Header.Set(header, value)
	}
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	return w
}

// conditioned is a tenant with something of each kind that has an entity tag.
func conditioned(t *testing.T) *caller {
	t.Helper()
	described, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	a := on(t, memory(t), "generic")
	o := &caller{t: t, h: described.Handler(t, a.h), known: map[string]string{}}
	o.do(step{201, "POST", "/tenants/acme/tokens", `{}`, []string{"token=id"}})
	o.do(step{201, "POST", "/tenants/acme/webhooks", `{"url":"https://app.example.com/","types":["*"]}`, []string{"hook=id"}})
	o.do(step{200, "PUT", "/tenants/acme/policy", `{"kinds":{"role":{}}}`, nil})
	return o
}

// TestEntityTags: each resource that can be changed has an entity tag, which a change moves and which protects it
// against a change by somebody who has not read it.
func TestEntityTags(t *testing.T) {
	o := conditioned(t)
	for _, c := range []struct{ path, method, one, two string }{
		{"", "PATCH", `{"name":"One"}`, `{"name":"Two"}`},
		{"/tokens/<token>", "PATCH", `{"expiresAt":"2027-01-01T00:00:00Z"}`, `{"expiresAt":"2027-01-02T00:00:00Z"}`},
		{"/webhooks/<hook>", "PATCH", `{"description":"one"}`, `{"description":"two"}`},
		{"/targets/role/admin", "PUT", `{"displayName":"One"}`, `{"displayName":"Two"}`},
		{"/schemas/urn:example:D", "PUT", `{"attributes":[{"name":"one"}]}`, `{"attributes":[{"name":"two"}]}`},
		{
			"/resource-types/D", "PUT", `{"endpoint":"/Ds","schema":"urn:example:D"}`,
			`{"endpoint":"/Ds","schema":"urn:example:D","description":"two"}`,
		},
		{"/policy", "PUT", `{"kinds":{"role":{}}}`, `{"kinds":{"role":{"create":true}}}`},
	} {
		path := o.fill(c.path)
		if w := o.ask(c.method, path, c.one, "", ""); w.Code >= 300 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		read := o.ask("GET", path, "", "", "")
		tag := read.Header().Get("ETag")
		if w := o.ask(c.method, path, c.one, "If-Match", tag); w.Code >= 300 {
			t.Errorf("%s: with its tag %q: %d %s", path, tag, w.Code, w.Body)
		}
		tag = o.ask("GET", path, "", "", "").Header().Get("ETag")
		if w := o.ask(c.method, path, c.two, "If-Match", tag); w.Code >= 300 || w.Header().Get("ETag") == tag {
			t.Errorf("%s: %d %s, ETag %q behind %q", path, w.Code, w.Body, w.Header().Get("ETag"), tag)
		}
		if w := o.ask(c.method, path, c.one, "If-Match", tag); w.Code != 412 ||
			!strings.Contains(w.Body.String(), "Read it again") {
			t.Errorf("%s: with an old tag: %d %s", path, w.Code, w.Body)
		}
		if c.method == "PUT" && c.path != "/policy" {
			if w := o.ask(c.method, path, c.one, "If-None-Match", "*"); w.Code != 412 {
				t.Errorf("%s: made though it is there: %d %s", path, w.Code, w.Body)
			}
		}
	}
	for _, path := range []string{"", "/targets/role/admin", "/schemas/urn:example:D", "/resource-types/D"} {
		tag := o.ask("GET", path, "", "", "").Header().Get("ETag")
		if w := o.ask("GET", path, "", "If-None-Match", tag); w.Code != 304 || w.Body.Len() > 0 {
			t.Errorf("%s: read again: %d %s", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/resource-types/D", "/schemas/urn:example:D", "/tokens/" + o.known["token"], ""} {
		if w := o.ask("DELETE", path, "", "If-Match", `"old"`); w.Code != 412 {
			t.Errorf("%s: deleted by an old tag: %d %s", path, w.Code, w.Body)
		}
	}
	o.do(step{201, "POST", "/tenants/acme/clients", `{}`, []string{"client=id"}})
	o.do(step{201, "POST", "/tenants/acme/setup-links", `{"role":"reader"}`, []string{"link=id"}})
	o.do(step{201, "POST", "/tenants/acme/domains", `{"name":"example.com"}`, nil})
	o.ask("PUT", "/targets/role/gone", `{}`, "", "")
	o.do(step{201, "POST", "/clients", `{"name":"Catalogue"}`, []string{"catalogue=id"}})
	for path, change := range map[string][2]string{
		"/clients/" + o.known["client"]: {"POST", ""}, "/setup-links/" + o.known["link"]: {"", ""},
		"/../clients/" + o.known["catalogue"]: {"POST", ""},
		"/domains/example.com":                {"POST /verify", `{"override":true}`},
		"/webhooks/" + o.known["hook"]:        {"PATCH", `{"description":"three"}`},
		"/targets/role/gone":                  {"PUT", `{"displayName":"Gone"}`},
	} {
		tag := o.ask("GET", path, "", "", "").Header().Get("ETag")
		if tag == "" {
			t.Errorf("%s: without an ETag", path)
		}
		if method, behind, _ := strings.Cut(change[0], " "); method != "" {
			w := o.ask(method, path+behind, change[1], "If-Match", tag)
			moved := o.ask("GET", path, "", "", "").Header().Get("ETag")
			if w.Code != 200 || moved == tag || w.Header().Get("ETag") != moved {
				t.Errorf("%s: changed by its tag: %d %s, ETag %q behind %q", path, w.Code, w.Body, moved, tag)
			}
			if w := o.ask("DELETE", path, "", "If-Match", tag); w.Code != 412 {
				t.Errorf("%s: deleted by an old tag: %d %s", path, w.Code, w.Body)
			}
			tag = moved
		} else if w := o.ask("DELETE", path, "", "If-Match", `"old"`); w.Code != 412 {
			t.Errorf("%s: deleted by another tag: %d %s", path, w.Code, w.Body)
		}
		if w := o.ask("DELETE", path, "", "If-Match", tag); w.Code != 204 {
			t.Errorf("%s: deleted by its tag: %d %s", path, w.Code, w.Body)
		}
	}
	if w := o.ask("PUT", "/targets/role/new", `{}`, "If-Match", "*"); w.Code != 412 {
		t.Errorf("a target that is not there: %d %s", w.Code, w.Body)
	}
	if w := o.ask("PUT", "/targets/role/new", `{}`, "If-None-Match", "*"); w.Code != 200 {
		t.Errorf("a new target: %d %s", w.Code, w.Body)
	}
}

// TestOneOfManyChanges: of many changes with the same entity tag at once, one is made.
func TestOneOfManyChanges(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.policy(`{"kinds":{"role":{"create":true}},"requests":{"guard":{"people":1,"minutes":60}}}`)
	o := &caller{t: t, h: a.h, known: map[string]string{"jim": a.user("jim"), "ada": a.user("ada")}}
	o.do(step{201, "POST", "/tenants/acme/webhooks", `{"url":"https://app.example.com/","types":["*"]}`, []string{"hook=id"}})
	o.ask("PUT", "/targets/role/admin", `{"displayName":"0"}`, "", "")
	o.ask("PUT", "/schemas/urn:example:D", `{"attributes":[{"name":"a0"}]}`, "", "")
	for _, c := range [][4]string{ // method, path of the tag, path behind it, body
		{"PATCH", "", "", `{"name":"<n>"}`},
		{"PUT", "/targets/role/admin", "", `{"displayName":"<n>"}`},
		{"PATCH", "/webhooks/<hook>", "", `{"description":"<n>"}`},
		{"POST", "/webhooks/<hook>", "/rotate-secret", ``},
		{"PUT", "/schemas/urn:example:D", "", `{"attributes":[{"name":"a<n>"}]}`},
		{"POST", "/guard", "", `{"decision":"allow","minutes":<n>}`},
		{"PUT", "/members/<jim>", "/assignments/role/r<n>", ``},
		{"PUT", "/members/<ada>", "/account", `{"accountId":"<n>"}`},
		{"PUT", "/policy", "", `{"kinds":{"role":{},"k<n>":{}}}`},
	} {
		path := o.fill(c[1])
		tag := o.ask("GET", path, "", "", "").Header().Get("ETag")
		var made, refused atomic.Int32
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				n := strings.NewReplacer("<n>", strconv.Itoa(i+1))
				switch w := o.ask(c[0], path+n.Replace(c[2]), n.Replace(c[3]), "If-Match", tag); w.Code {
				case http.StatusOK, http.StatusNoContent:
					made.Add(1)
				case http.StatusPreconditionFailed:
					refused.Add(1)
				default:
					t.Errorf("%s: %d %s", path, w.Code, w.Body)
				}
			})
		}
		all.Wait()
		if made.Load() != 1 || refused.Load() != 7 {
			t.Errorf("%q: %d made, %d refused", path+c[2], made.Load(), refused.Load())
		}
	}
}

// TestTagOfAnUnpublishedMember: an assignment moves the entity tag of a member also in a tenant that publishes none.
func TestTagOfAnUnpublishedMember(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.policy(`{"kinds":{"role":{"create":true}}}`)
	o := &caller{t: t, h: a.h, known: map[string]string{}}
	path := "/members/" + a.user("jim")
	a.mustAdmin(200, "GET", path, "")
	a.mustAdmin(200, "PATCH", "", `{"settings":{"members":{"publish":false}}}`)
	for _, target := range []string{"/assignments/role/one", "/assignments/role/two"} {
		tag := o.ask("GET", path, "", "", "").Header().Get("ETag")
		if w := o.ask("PUT", path+target, "", "If-Match", tag); w.Code != 204 {
			t.Errorf("%s with its tag: %d %s", target, w.Code, w.Body)
		}
		if w := o.ask("DELETE", path+target, "", "If-Match", tag); w.Code != 412 {
			t.Errorf("%s with an old tag: %d %s", target, w.Code, w.Body)
		}
	}
}

// TestEraseByTag: an old entity tag erases nothing of a member, and the present one erases, also if a tenant publishes
// no members.
func TestEraseByTag(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.policy(`{"kinds":{"role":{"create":true}}}`)
	o := &caller{t: t, h: a.h, known: map[string]string{}}
	id := a.user("zelda")
	path := "/members/" + id
	o.ask("GET", path, "", "", "")
	a.mustAdmin(200, "PATCH", "", `{"settings":{"members":{"publish":false}}}`)
	old := o.ask("GET", path, "", "", "").Header().Get("ETag")
	if w := o.ask("PUT", path+"/assignments/role/one", "", "", ""); w.Code != 204 {
		t.Fatalf("assigned: %d %s", w.Code, w.Body)
	}
	a.must(204, "DELETE", "/Users/"+id, "")
	named := func() int {
		return strings.Count(o.ask("GET", "/log?count=1000", "", "", "").Body.String()+
			o.ask("GET", "/events?count=1000", "", "", "").Body.String(), "zelda")
	}
	before := named()
	if w := o.ask("DELETE", path, "", "If-Match", old); w.Code != 412 || before == 0 || named() != before {
		t.Errorf("by an old tag: %d %s; the person was named %d times, is %d times", w.Code, w.Body, before, named())
	}
	tag := o.ask("GET", path, "", "", "").Header().Get("ETag")
	if w := o.ask("DELETE", path, "", "If-Match", tag); w.Code != 204 {
		t.Errorf("by its tag: %d %s", w.Code, w.Body)
	}
}

// TestUnrecordedCreation: the createdAt of a policy, schema or resource type that was stored before such times were
// recorded is null, and stays so when it is changed. A new one beside it has a time.
func TestUnrecordedCreation(t *testing.T) {
	engine := memory(t)
	a := on(t, engine, "generic")
	o := &caller{t: t, h: a.h, known: map[string]string{}}
	put := func(path, body string) {
		t.Helper()
		if w := o.ask("PUT", path, body, "", ""); w.Code != 200 && w.Code != 201 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	put("/policy", `{"kinds":{"role":{}}}`)
	put("/schemas/urn:example:D", `{"attributes":[{"name":"one"}]}`)
	put("/resource-types/D", `{"endpoint":"/Ds","schema":"urn:example:D"}`)
	var old []store.Op
	page, err := engine.Query(t.Context(), store.Query{PK: store.KeysOf("acme").Policy().PK, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range page.Items {
		if item.Attrs["created"] != nil {
			old = append(old, store.Op{Kind: store.Update, Key: item.Key, Unset: []string{"created"}})
		}
	}
	if len(old) < 2 {
		t.Fatalf("%d items have a time", len(old))
	}
	if err := engine.Transact(t.Context(), "", old); err != nil {
		t.Fatal(err)
	}
	created := func(path string) any { return decoded(t, o.ask("GET", path, "", "", ""))["createdAt"] }
	for _, change := range []func(){
		func() {},
		func() {
			put("/policy", `{"kinds":{"team":{}}}`)
			put("/schemas/urn:example:D", `{"attributes":[{"name":"two"}]}`)
			put("/schemas/urn:example:E", `{"attributes":[{"name":"one"}]}`)
		},
	} {
		change()
		for _, path := range []string{"/policy", "/schemas/urn:example:D", "/resource-types/D"} {
			if at := created(path); at != nil {
				t.Errorf("%s was created at %v", path, at)
			}
		}
	}
	if at := created("/schemas/urn:example:E"); at == nil {
		t.Error("a new schema has no time")
	}
}

// TestWriteOfWhatWasRead: a document that was read can be written back, changes nothing, and reads the same. A
// Terraform provider needs this.
func TestWriteOfWhatWasRead(t *testing.T) {
	o := conditioned(t)
	for path, document := range map[string]string{
		"/policy": `{"kinds":{"team":{"create":true},"role":{}},"requests":{"guard":
			{"people":5,"percent":10,"minutes":60}}}`,
		"/schemas/urn:example:E": `{"name":"E","attributes":[{"name":"serial","uniqueness":"server","caseExact":true}]}`,
	} {
		for range 2 {
			if w := o.ask("PUT", path, document, "", ""); w.Code >= 300 {
				t.Fatalf("%s: %d %s", path, w.Code, w.Body)
			}
			read := o.ask("GET", path, "", "", "").Body.String()
			if w := o.ask("PUT", path, read, "", ""); w.Code >= 300 {
				t.Fatalf("%s: what was read can't be written: %d %s", path, w.Code, w.Body)
			}
			if again := o.ask("GET", path, "", "", "").Body.String(); again != read {
				t.Errorf("%s: %s, then %s", path, read, again)
			}
		}
	}
}
