package local_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// api calls a server as one tenant.
type api struct {
	t     testing.TB
	s     *local.Server
	h     http.Handler
	base  string
	token string
	// tenant is its id; "" is acme.
	tenant   string
	eachPage func() // called for each page of a walk; may be nil
}

type object = map[string]any

// do sends a request and returns status and body.
func (a *api) do(method, path, body string) (int, object) {
	a.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, a.base+path, reader)
	r.Header.Set("Authorization", "Bearer "+a.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	var out object
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			a.t.Errorf("%s %s: body is no JSON: %v", method, path, err)
		}
	}
	return w.Code, out
}

// must sends a request that has to be answered with the status.
func (a *api) must(status int, method, path, body string) object {
	a.t.Helper()
	got, out := a.do(method, path, body)
	if got != status {
		a.t.Fatalf("%s %s: status %d, want %d: %v", method, path, got, status, out)
	}
	return out
}

func (a *api) user(name string) string {
	a.t.Helper()
	return a.must(201, "POST", "/Users",
		fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q}`, name))["id"].(string)
}

func (a *api) users(n int) []string {
	a.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = a.user(fmt.Sprintf("user-%04d", i))
	}
	return ids
}

func members(values []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"value":%q}`, v)
	}
	b.WriteByte(']')
	return b.String()
}

func groupBody(name string, values []string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%q,"members":%s}`, name,
		members(values))
}

func patchBody(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`
}

func (a *api) group(name string, values []string) string {
	a.t.Helper()
	return a.must(201, "POST", "/Groups", groupBody(name, values))["id"].(string)
}

// values returns the member values of a group.
func (a *api) values(group string) []string {
	a.t.Helper()
	var out []string
	list, _ := a.must(200, "GET", "/Groups/"+group, "")["members"].([]any)
	for _, m := range list {
		out = append(out, m.(object)["value"].(string))
	}
	return out
}

// all walks a list page by page.
func (a *api) all(path string) []object {
	a.t.Helper()
	var out []object
	for {
		page := a.must(200, "GET", fmt.Sprintf("%s?startIndex=%d", path, len(out)+1), "")
		for _, r := range page["Resources"].([]any) {
			out = append(out, r.(object))
		}
		if len(out) >= int(page["totalResults"].(float64)) || page["itemsPerPage"].(float64) == 0 {
			if len(out) != int(page["totalResults"].(float64)) {
				a.t.Errorf("%s: %d resources, totalResults %v", path, len(out), page["totalResults"])
			}
			return out
		}
	}
}

// agree checks that members of groups, groups of users and memberships say the same, that names are found, and returns
// the member values by group name, and the users under "".
func (a *api) agree() map[string][]string {
	a.t.Helper()
	groupsOf, exists := map[string]map[string]bool{}, map[string]bool{}
	var names []string
	for _, u := range a.all("/Users") {
		id := u["id"].(string)
		exists[id] = true
		groupsOf[id] = map[string]bool{}
		list, _ := u["groups"].([]any)
		for _, g := range list {
			groupsOf[id][g.(object)["value"].(string)] = true
		}
		names = append(names, fmt.Sprintf("userName eq %q", u["userName"]))
	}
	for some := range slices.Chunk(names, 20) {
		found := a.must(200, "GET", "/Users?count=0&filter="+url.QueryEscape(strings.Join(some, " or ")), "")
		if found["totalResults"] != float64(len(some)) {
			a.t.Errorf("%v of these users are found by their names: %s", found["totalResults"], some)
		}
	}
	out := map[string][]string{"": slices.Sorted(maps.Keys(exists))}
	byID := map[string][]string{}
	for _, g := range a.all("/Groups") {
		id, name := g["id"].(string), g["displayName"].(string)
		out[name], byID[id] = []string{}, nil
		for _, m := range g["members"].([]any) {
			v := m.(object)["value"].(string)
			out[name], byID[id] = append(out[name], v), append(byID[id], v)
			if m.(object)["type"] == "User" && !groupsOf[v][id] {
				a.t.Errorf("group %s has member %s, whose groups do not say so (user exists: %v)", name, v, exists[v])
			}
			delete(groupsOf[v], id)
		}
	}
	if status, _ := a.do("GET", "/GroupMemberships?count=0", ""); status != 404 { // they are switched on
		a.membershipsAgree(byID)
	}
	for user, left := range groupsOf {
		for group := range left {
			a.t.Errorf("user %s says that it is in group %s, which does not have it", user, group)
		}
	}
	return out
}

// quiet are the options of a server in memory, without a log. On a busy machine it takes longer than a client may wait.
func quiet() local.Options {
	return local.Options{
		Engine: "bolt", Data: boltstore.Memory, Log: io.Discard, Out: io.Discard,
		MaxScan: 5 * time.Minute, MaxWait: 5 * time.Minute,
	}
}

// costly are the options of a quiet server whose answers state their cost.
func costly() local.Options {
	o := quiet()
	o.CostHeaders = true
	return o
}

// on creates a server and a tenant of profile idp on an engine.
func on(t testing.TB, engine store.Engine, idp string) *api {
	t.Helper()
	s := local.New(quiet(), engine, io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme", IdP: idp})
	if err != nil {
		t.Fatal(err)
	}
	return &api{t: t, s: s, h: s.Handler(), base: "http://scim.example.com/scim/v2/acme", token: token.Value}
}

// again is the same tenant on a new server, as after a restart.
func (a *api) again(engine store.Engine) *api {
	s := local.New(quiet(), engine, io.NopCloser(nil))
	a.t.Cleanup(func() { _ = s.Close() })
	return &api{t: a.t, s: s, h: s.Handler(), base: a.base, token: a.token}
}
