package scimtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// client talks to one tenant for a test. Every answer must pass the checks that hold for any answer.
type client struct {
	t      testing.TB
	target Target
	idp    string
	made   *made // nil but for a shared tenant
}

// answer is an answer with the test that asked for it.
type answer struct {
	t    testing.TB
	what string // request in words, for messages
	response
	body any
}

// option changes a request before it is sent.
type option func(*request)

func header(name, value string) option {
	return func(r *request) { r.Header.Set(name, value) }
}

func without(name string) option { return func(r *request) { r.Header.Del(name) } }

func query(raw string) option { return func(r *request) { r.Query = raw } }

// params sets query parameters: name, value, name, value ...
func params(pairs ...string) option {
	values := make([]string, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		values = append(values, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
	}
	return query(strings.Join(values, "&"))
}

// do sends a request with the tenant's token. A body of "" sends none.
func (c *client) do(method, path, body string, options ...option) *answer {
	c.t.Helper()
	a, err := c.try(method, path, body, options...)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// try is do for goroutines other than the test's: it never ends the test.
func (c *client) try(method, path, body string, options ...option) (*answer, error) {
	c.t.Helper()
	r := request{Method: method, Path: path, Header: http.Header{}, Body: []byte(body), NoBody: body == ""}
	r.Header.Set("Authorization", "Bearer "+c.target.Token)
	if body != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	for _, o := range options {
		o(&r)
	}
	got, err := c.target.send(r)
	if err != nil {
		return nil, err
	}
	what := method + " " + path
	if r.Query != "" {
		readable, err := url.QueryUnescape(r.Query)
		if err != nil {
			readable = r.Query
		}
		what += "?" + readable
	}
	if body != "" {
		what += " " + clip([]byte(body))
	}
	a := &answer{t: c.t, what: what, response: got}
	for _, p := range checkAnswer(c.idp, r, got) {
		a.fail("%s", p)
	}
	if len(got.Body) > 0 {
		if err := json.Unmarshal(got.Body, &a.body); err != nil {
			a.body = nil
		}
	}
	if c.made != nil && method == http.MethodPost {
		c.deleteLater(path, a)
	}
	return a, nil
}

// deleteLater notes the resources that a POST has created, by itself or in a bulk request.
func (c *client) deleteLater(path string, a *answer) {
	if rest, ok := strings.CutPrefix(a.Header.Get("Location"), c.target.BaseURL); ok && a.Status == http.StatusCreated {
		c.made.add(rest)
	} else if id, ok := a.object()["id"].(string); ok && a.Status == http.StatusCreated {
		c.made.add(path + "/" + id)
	}
	operations, _ := a.object()["Operations"].([]any)
	for _, element := range operations {
		o, _ := element.(map[string]any)
		location, _ := o["location"].(string)
		if rest, ok := strings.CutPrefix(location, c.target.BaseURL); ok && o["method"] == http.MethodPost {
			c.made.add(rest)
		}
	}
}

// made is a list of the resources that a test has created in a shared tenant.
type made struct {
	mu    sync.Mutex
	paths []string
}

func (m *made) add(path string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.paths = append(m.paths, path)
}

// deleteAll deletes the noted resources.
func (m *made) deleteAll(t testing.TB, target Target) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, path := range m.paths {
		r := request{Method: http.MethodDelete, Path: path, Header: http.Header{}, NoBody: true}
		r.Header.Set("Authorization", "Bearer "+target.Token)
		if _, err := target.send(r); err != nil {
			t.Error(err)
		}
	}
	m.paths = nil
}

func (c *client) get(path string, options ...option) *answer {
	c.t.Helper()
	return c.do(http.MethodGet, path, "", options...)
}

func (c *client) post(path, body string, options ...option) *answer {
	c.t.Helper()
	return c.do(http.MethodPost, path, body, options...)
}

func (c *client) put(path, body string, options ...option) *answer {
	c.t.Helper()
	return c.do(http.MethodPut, path, body, options...)
}

// patch sends a PatchOp message of the given operations, each a JSON object.
func (c *client) patch(path, operations string, options ...option) *answer {
	c.t.Helper()
	return c.do(http.MethodPatch, path, patchOp(operations), options...)
}

func (c *client) delete(path string, options ...option) *answer {
	c.t.Helper()
	return c.do(http.MethodDelete, path, "", options...)
}

// create makes a user of the given JSON members (userName and so on, without braces) and returns its id.
func (c *client) create(members string) string {
	c.t.Helper()
	return c.post("/Users", user(members)).want(http.StatusCreated).id()
}

// createGroup creates a group of the given JSON members and returns its id.
func (c *client) createGroup(members string) string {
	c.t.Helper()
	return c.post("/Groups", group(members)).want(http.StatusCreated).id()
}

// filter lists the matches and returns the answer, which must be a 200.
func (c *client) filter(path, expression string) *answer {
	c.t.Helper()
	return c.get(path, params("filter", expression)).want(http.StatusOK)
}

func patchOp(operations string) string {
	return `{"schemas":["` + patchURN + `"],"Operations":[` + operations + `]}`
}

func user(members string) string {
	schemas := `"` + userURN + `"`
	if strings.Contains(members, enterpriseURN) {
		schemas += `,"` + enterpriseURN + `"`
	}
	return `{"schemas":[` + schemas + `],` + members + `}`
}

func group(members string) string {
	return `{"schemas":["` + groupURN + `"],` + members + `}`
}

func quote(s string) string { return `"` + jsonEscape(s) + `"` }

func (a *answer) fail(format string, args ...any) {
	a.t.Helper()
	a.t.Errorf("%s\n\tanswered %d %s\n\t%s", a.what, a.Status, clip(a.Body), fmt.Sprintf(format, args...))
}

// want checks the status. If it differs, the test of this behaviour ends: later errors would only repeat it.
func (a *answer) want(status ...int) *answer {
	a.t.Helper()
	if !slices.Contains(status, a.Status) {
		a.fail("status %d, want %v", a.Status, status)
		a.t.FailNow()
	}
	return a
}

// is checks the status; the test continues if it differs.
func (a *answer) is(status ...int) bool {
	a.t.Helper()
	if !slices.Contains(status, a.Status) {
		a.fail("status %d, want %v", a.Status, status)
		return false
	}
	return true
}

// refused checks for a SCIM error of the given status and scimType ("" for any).
func (a *answer) refused(status int, scimType string) *answer {
	a.t.Helper()
	if a.is(status) && scimType != "" {
		a.has("scimType", scimType)
	}
	return a
}

// has checks that a path holds a value: a Go string, bool, int, a JSON-like value, or an operator such as {"$len":1}.
func (a *answer) has(path string, value any) *answer {
	a.t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		a.t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal(raw, &want); err != nil {
		a.t.Fatal(err)
	}
	if p := match(a.body, path, want); p != "" {
		a.fail("%s", p)
	}
	return a
}

// holds is has with the value written as JSON.
func (a *answer) holds(path, value string) *answer {
	a.t.Helper()
	return a.has(path, json.RawMessage(value))
}

// lacks checks that paths hold nothing.
func (a *answer) lacks(paths ...string) *answer {
	a.t.Helper()
	for _, path := range paths {
		if got, found, err := find(a.body, path); err != nil || found {
			a.fail("%s is there: %s %v", path, text(got), err)
		}
	}
	return a
}

func (a *answer) at(path string) any {
	a.t.Helper()
	got, _, err := find(a.body, path)
	if err != nil {
		a.t.Fatal(err)
	}
	return got
}

func (a *answer) str(path string) string {
	a.t.Helper()
	s, _ := a.at(path).(string)
	return s
}

func (a *answer) list(path string) []any {
	a.t.Helper()
	l, _ := a.at(path).([]any)
	return l
}

func (a *answer) object() map[string]any {
	o, _ := a.body.(map[string]any)
	return o
}

func (a *answer) id() string {
	a.t.Helper()
	id := a.str("id")
	if id == "" {
		a.fail("no id")
		a.t.FailNow()
	}
	return id
}

// column returns one attribute of each listed resource, in order.
func (a *answer) column(attribute string) []string {
	a.t.Helper()
	var values []string
	for _, r := range a.list("Resources") {
		v, found, err := find(r, attribute)
		if err != nil {
			a.t.Fatal(err)
		}
		if found {
			values = append(values, text(v))
		}
	}
	return values
}

// lists checks which resources a list holds by one attribute, in any order, and that totalResults says the same.
func (a *answer) lists(attribute string, want ...string) *answer {
	a.t.Helper()
	if !a.is(http.StatusOK) {
		return a
	}
	got := slices.Sorted(slices.Values(a.column(attribute)))
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		a.fail("lists %s %q, want %q", attribute, got, want)
		return a
	}
	return a.has("totalResults", len(want))
}

// values returns the `value` of each element of a multi-valued attribute, sorted.
func (a *answer) values(path string) []string {
	a.t.Helper()
	got := []string{}
	for _, e := range a.list(path) {
		if object, ok := e.(map[string]any); ok {
			got = append(got, text(object["value"]))
		}
	}
	slices.Sort(got)
	return got
}

// hasValues checks the `value` of the elements of a multi-valued attribute, in any order.
func (a *answer) hasValues(path string, want ...string) *answer {
	a.t.Helper()
	want = slices.Sorted(slices.Values(want))
	if got := a.values(path); !slices.Equal(got, want) {
		a.fail("%s holds %q, want %q", path, got, want)
	}
	return a
}

// etag returns the ETag of a resource read now.
func (c *client) etag(path string) string {
	c.t.Helper()
	return c.get(path).want(http.StatusOK).Header.Get("ETag")
}

// unchanged runs act and checks that the resource is the same afterwards, version and lastModified included.
func (c *client) unchanged(path string, act func()) {
	c.t.Helper()
	before := c.get(path).want(http.StatusOK)
	act()
	after := c.get(path).want(http.StatusOK)
	if string(before.Body) != string(after.Body) {
		after.fail("changed, was %s", clip(before.Body))
	}
}
