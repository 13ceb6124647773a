package local_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/internal/contract"
)

// kept is a resource of the admin API. Paths are as for ask; values of former answers are in braces.
type kept struct {
	name string
	// at is the path in the OpenAPI document, behind /admin/v1.
	at string
	// made is the request that creates it: method, path, body. It is then at path; "": at its Location.
	made, path string
	// changes are all requests that change it, each with the status of its answer: status, method, path behind its own,
	// body. Each moves the entity tag.
	changes []string
	// list is the collection, in which a search for the text found finds it.
	list, found string
	// without are the reasons for what it does not have: createdAt, id, search.
	without map[string]string
}

const (
	hookBody = `"url":"https://app.example.com/","types":["*"],"description":"Billing"`
	inPath   = "the path has its name"
	single   = "a tenant has one"
)

var allKept = []kept{
	{
		"tenant", "/tenants/{id}", `POST /../tenants {"id":"second","name":"Über AG"}`, "",
		[]string{`200 PATCH  {"name":"Other"}`, `200 PATCH  {"active":false}`, `202 DELETE  `},
		"/../tenants", "ÜBER", nil,
	},
	{
		"token", "/tenants/{id}/tokens/{token}", `POST /tokens {"id":"0123456789abcxyz"}`, "",
		[]string{`200 PATCH  {"expiresAt":"2027-01-01T00:00:00Z"}`, `204 DELETE  `},
		"", "",
		map[string]string{"search": "it has neither a name nor a description"},
	},
	{
		"OAuth client", "/tenants/{id}/clients/{client}", `POST /clients {"id":"tc0123456789abcxyz","name":"Console"}`, "",
		[]string{`200 POST  {}`, `204 DELETE /secrets/<secret> `, `204 DELETE  `},
		"/clients", "cons", nil,
	},
	{
		"OAuth client of the operator", "/clients/{client}",
		`POST /../clients {"id":"oc0123456789abcxyz","name":"Catalogue"}`, "",
		[]string{`200 POST  {}`, `204 DELETE /secrets/<secret> `, `204 DELETE  `},
		"/../clients", "CAT", nil,
	},
	{
		"webhook", "/tenants/{id}/webhooks/{webhook}", `POST /webhooks {"id":"wh_0123456789abcxyz",` + hookBody + `}`, "",
		[]string{`200 PATCH  {"active":false}`, `200 POST /rotate-secret {}`, `200 POST /rotate-secret {}`, `204 DELETE  `},
		"/webhooks", "bill", nil,
	},
	{
		"webhook of the operator", "/webhooks/{webhook}", `POST /../webhooks {"id":"wh_0123456789abcxyz",` + hookBody + `}`, "",
		[]string{`200 PATCH  {"active":false}`, `200 POST /rotate-secret {}`, `204 DELETE  `},
		"/../webhooks", "BILL", nil,
	},
	{
		"domain", "/tenants/{id}/domains/{name}", `POST /domains {"name":"example.com"}`, "",
		[]string{`200 POST /verify {"override":true}`, `204 DELETE  `},
		"/domains", "EXAM",
		map[string]string{"id": inPath},
	},
	{
		"set-up link", "/tenants/{id}/setup-links/{link}",
		`POST /setup-links {"id":"acme.0123456789abcxyz","role":"reader","email":"ada@example.com"}`, "",
		[]string{`204 DELETE  `},
		"/setup-links", "ADA@", nil,
	},
	{
		"schema", "/tenants/{id}/schemas/{urn}",
		`PUT /schemas/urn:example:D {"name":"Badge","attributes":[{"name":"one"}]}`, "/schemas/urn:example:D",
		[]string{`200 PUT  {"name":"Badge","attributes":[{"name":"two"}]}`, `204 DELETE  `},
		"/schemas", "baD",
		map[string]string{"id": inPath},
	},
	{
		"resource type", "/tenants/{id}/resource-types/{type}",
		`PUT /resource-types/Device {"endpoint":"/Devices","schema":"urn:example:E"}`, "/resource-types/Device",
		[]string{`200 PUT  {"endpoint":"/Devices","schema":"urn:example:E","description":"x"}`, `204 DELETE  `},
		"/resource-types", "dev",
		map[string]string{"id": inPath},
	},
	{
		"target", "/tenants/{id}/targets/{kind}/{name}", `PUT /targets/role/admin {"displayName":"Chef"}`,
		"/targets/role/admin",
		[]string{`200 PUT  {"displayName":"Chief"}`, `200 PUT  {"displayName":"Chief","seats":{"size":2}}`, `204 DELETE  `},
		"/targets", "CHEF",
		map[string]string{"id": inPath},
	},
	{
		"policy", "/tenants/{id}/policy", `PUT /policy {"kinds":{"role":{}}}`, "/policy",
		[]string{`200 PUT  {"kinds":{"role":{"create":true}}}`},
		"", "",
		map[string]string{"id": single, "search": single},
	},
	{
		"guard", "/tenants/{id}/guard", `PUT /policy {"requests":{"guard":{"people":1,"minutes":60}}}`, "/guard",
		[]string{`200 POST  {"decision":"allow"}`, `200 POST  {"decision":"reject"}`},
		"", "",
		map[string]string{"createdAt": "the policy has it", "id": single, "search": single},
	},
	{
		"member", "/tenants/{id}/members/{member}", `GET /members `, "/members/<member>",
		[]string{
			`204 PUT /assignments/role/admin `, `204 DELETE /assignments/role/admin `, `200 PUT /account {"accountId":"7"}`,
			`200 POST /invite `, `200 POST /merge {"into":"<twin>"}`,
		},
		"/members", "JI",
		map[string]string{"id": "it is that of the SCIM user"},
	},
	{
		"member who has left", "/tenants/{id}/members/{member}", `GET /members `, "/members/<left>",
		[]string{`204 DELETE  `},
		"/members?filter=status%20eq%20%22removed%22", "le",
		map[string]string{"id": "it is that of the SCIM user"},
	},
}

// otherReads are the GETs that show no resource, each for a reason.
var otherReads = map[string]string{
	"/openapi.json": "a document of the program", "/clock": "a local program has one",
	"/policy-presets": "part of the program", "/policy-presets/{name}": "part of the program",
	"/tenants/{id}/notices": "records, which nobody changes", "/tenants/{id}/events": "records, which nobody changes",
	"/log": "records, which nobody changes", "/log/{entry}": "a record, which nobody changes",
	"/tenants/{id}/log": "records, which nobody changes", "/tenants/{id}/log/{entry}": "a record, which nobody changes",
	"/tenants/{id}/activity": "derived from requests", "/tenants/{id}/diagnosis": "derived from requests",
	"/tenants/{id}/stale-attributes": "derived from requests", "/tenants/{id}/policy/status": "progress of a pass",
	"/tenants/{id}/members/{member}/why": "derived from the member",
	"/tenants/{id}/members/duplicates":   "derived from members",
	"/tenants/{id}/pending":              "derived from users and groups",
	"/tenants/{id}/tokens":               "a list without a search",
}

// otherActions are the operations without If-Match that create nothing of the table, each for a reason.
var otherActions = map[string]string{
	"PUT /clock":                      "a local program has one",
	"POST /tenants/{id}/disconnect":   "it ends all access, in any state",
	"POST /tenants/{id}/rotation":     "each action is refused in any state of the tokens that it is not for",
	"POST /tenants/{id}/notices":      "it sends a message",
	"POST /tenants/{id}/accounts":     "it is about many members, and changes nothing twice",
	"POST /webhooks/{webhook}/test":   "it sends an event, and changes nothing",
	"POST /webhooks/{webhook}/replay": "it sends events, and does not change the webhook",

	"POST /tenants/{id}/tokens/{token}/reveal": "it reads", "POST /tenants/{id}/policy/rehearse": "it reads",
	"POST /tenants/{id}/members/invite":            "it is about many members, and each is invited once",
	"POST /tenants/{id}/webhooks/{webhook}/test":   "it sends an event, and changes nothing",
	"POST /tenants/{id}/webhooks/{webhook}/replay": "it sends events, and does not change the webhook",
}

var parameter = regexp.MustCompile(`\{[^}]+\}`)

// TestEveryResource: each resource of the OpenAPI document has a time of creation that no change moves, an entity tag
// that each change moves, and changes that an old tag refuses; a caller may choose its id, and a list finds it by name.
// Exceptions have a reason.
func TestEveryResource(t *testing.T) {
	described, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	var called []string // with If-Match, or to create something
	reads := map[string]bool{}
	for _, k := range allKept[:len(allKept)-1] { // the last is a member again
		k.documented(t)
	}
	for _, k := range allKept {
		t.Run(k.name, func(t *testing.T) {
			called = append(called, k.check(t, described)...)
		})
		reads[k.at] = true
		if list, _, _ := strings.Cut(k.list, "?"); list != "" {
			reads[strings.Replace("/tenants/{id}"+list, "/tenants/{id}/..", "", 1)] = true
		}
	}
	for _, operation := range described.Operations() {
		method, path, _ := strings.Cut(strings.Replace(operation, " /admin/v1", " ", 1), " ")
		route := method + " " + path
		pattern := regexp.MustCompile("^" + parameter.ReplaceAllString(route, "[^/]+") + "$")
		covered, reason := slices.ContainsFunc(called, pattern.MatchString), otherActions[route]
		if method == http.MethodGet {
			covered, reason = reads[path], otherReads[path]
		}
		if covered == (reason != "") {
			t.Errorf("%s: called by this test: %v, an exception because %q", route, covered, reason)
		}
	}
}

// check checks one resource, and returns the operations that it called with an old entity tag, and those that create
// the resource.
func (k kept) check(t *testing.T, described *contract.Contract) (called []string) {
	a := on(t, memory(t), "generic")
	o := &caller{t: t, h: described.Handler(t, a.h), known: map[string]string{}}
	call := func(method, path string) {
		route := strings.Replace("/tenants/acme"+path, "/tenants/acme/..", "", 1)
		called = append(called, method+" "+route)
	}
	if k.name != "policy" && k.name != "guard" {
		a.policy(`{"kinds":{"role":{"create":true}}}`)
	}
	a.mustAdmin(201, "PUT", "/schemas/urn:example:E", `{"attributes":[{"name":"serial"}]}`)
	o.known["member"], o.known["twin"], o.known["left"] = a.user("jim"), a.user("twin"), a.user("left")
	a.mustAdmin(200, "GET", "/members", "")
	a.must(204, "DELETE", "/Users/"+o.known["left"], "")

	parts := strings.SplitN(k.made, " ", 3)
	made := o.ask(parts[0], parts[1], parts[2], "", "")
	if made.Code != 200 && made.Code != 201 {
		t.Fatalf("%d %s", made.Code, made.Body)
	}
	call(parts[0], parts[1])
	if tag := made.Header().Get("ETag"); parts[0] != "GET" && tag == "" {
		t.Error("the answer that creates it has no ETag")
	}
	path := o.fill(k.path)
	if path == "" {
		path = strings.TrimPrefix(made.Header().Get("Location"), "/admin/v1/tenants/acme")
		if rest, operators := strings.CutPrefix(path, "/admin/v1"); operators {
			path = "/.." + rest
		}
	}
	if secrets, _ := decoded(t, made)["secrets"].([]any); len(secrets) > 0 {
		o.known["secret"] = secrets[0].(object)["id"].(string)
	}
	id, _ := decoded(t, made)["id"].(string)
	if k.without["id"] == "" && !strings.Contains(k.made, `{"id":"`+id+`"`) {
		t.Errorf("the id is %v", id)
	}
	if k.without["search"] == "" {
		k.search(o)
	}
	read := o.ask("GET", path, "", "", "")
	if tag, now := made.Header().Get("ETag"), read.Header().Get("ETag"); parts[1] == path || k.path == "" {
		if tag != now {
			t.Errorf("%s is answered with the tag %s, read with %s", k.made, tag, now)
		}
	}
	created := decoded(t, read)["createdAt"]
	at, err := time.Parse(time.RFC3339, fmt.Sprint(created))
	if (k.without["createdAt"] == "") != (err == nil && !at.IsZero()) {
		t.Errorf("createdAt: %v", created)
	}
	var clock struct{ Now time.Time }
	if err := json.Unmarshal(o.ask("GET", "/../clock", "", "", "").Body.Bytes(), &clock); err != nil {
		t.Fatal(err)
	}
	later := clock.Now.Add(time.Hour).UTC().Format(time.RFC3339)
	if w := o.ask("PUT", "/../clock", `{"now":"`+later+`"}`, "", ""); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	old := `"old"`
	for _, change := range k.changes {
		parts := strings.SplitN(o.fill(change), " ", 4)
		method, at, body := parts[1], path+parts[2], parts[3]
		before := o.ask("GET", path, "", "", "")
		tag := before.Header().Get("ETag")
		if tag == "" || decoded(t, before)["createdAt"] != created {
			t.Errorf("before %s: ETag %q, %s, created at %v", change, tag, before.Body, created)
		}
		for _, stale := range []string{old, ""} {
			if w := o.ask(method, at, body, "If-Match", stale); w.Code != 412 {
				t.Errorf("%s with the tag %s: %d %s", change, stale, w.Code, w.Body)
			}
		}
		call(method, at)
		after := o.ask("GET", path, "", "", "")
		if !reflect.DeepEqual(settled(t, before), settled(t, after)) || after.Header().Get("ETag") != tag {
			t.Errorf("%s with an old tag changed %s to %s", change, before.Body, after.Body)
		}
		w := o.ask(method, at, body, "If-Match", tag)
		if fmt.Sprint(w.Code) != parts[0] {
			t.Errorf("%s with its tag: %d %s", change, w.Code, w.Body)
		}
		after = o.ask("GET", path, "", "", "")
		if answered := w.Header().Get("ETag"); answered != "" && answered != after.Header().Get("ETag") {
			t.Errorf("%s is answered with the tag %s, read with %s", change, answered, after.Header().Get("ETag"))
		}
		if after.Code == 200 && (after.Header().Get("ETag") == tag || decoded(t, after)["createdAt"] != created) {
			t.Errorf("after %s: ETag %s, created at %v: %s", change, after.Header().Get("ETag"), created, after.Body)
		}
		old = tag
	}
	return called
}

// documented compares the resource with the table in docs/admin-api.md.
func (k kept) documented(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/admin-api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, row, found := strings.Cut(string(text), "\n| "+k.name+" | ")
	row, _, _ = strings.Cut(row, "\n")
	cells := strings.Split(row, " | ")
	if !found || len(cells) != 4 || (cells[0] == "yes") != (k.without["createdAt"] == "") || cells[1] != "yes" ||
		(cells[2] == "`id`") != (k.without["id"] == "") || (cells[3] == "— |") != (k.without["search"] != "") {
		t.Errorf("docs/admin-api.md says of %s: %q", k.name, cells)
	}
}

// settled is a resource without what changes by itself.
func settled(t *testing.T, w *httptest.ResponseRecorder) object {
	t.Helper()
	o := decoded(t, w)
	delete(o, "delivery")
	return o
}

// search finds the resource by the beginning of its name, and nothing by that of another.
func (k kept) search(o *caller) {
	o.t.Helper()
	join := map[bool]string{true: "&name=", false: "?name="}[strings.Contains(k.list, "?")]
	for text, want := range map[string]int{k.found: 1, "zebra": 0} {
		n := -1
		for _, v := range decoded(o.t, o.ask("GET", k.list+join+text, "", "", "")) {
			if list, is := v.([]any); is {
				n = len(list)
			}
		}
		if n != want {
			o.t.Errorf("%s finds %d, want %d", k.list+join+text, n, want)
		}
	}
}
