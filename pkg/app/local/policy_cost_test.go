package local_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

// spends sends a request and returns the cost that its answer states.
func (a *api) spends(status int, method, path, body string) string {
	a.t.Helper()
	r := httptest.NewRequest(method, a.base+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+a.token)
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	if w.Code != status || w.Header().Get("Scim-Cost") == "" {
		a.t.Fatalf("%s %s: %d %s, cost %q", method, path, w.Code, w.Body, w.Header().Get("Scim-Cost"))
	}
	return w.Header().Get("Scim-Cost")
}

// TestPolicyCost: a policy costs no call and no unit on the path of a request, but for one read in each process that
// has not seen it before. A request that it forbids costs the read of the tenant.
func TestPolicyCost(t *testing.T) {
	engine := memory(t)
	made := on(t, engine, "okta")
	process := func() *api {
		s := local.New(costly(), engine, io.NopCloser(nil))
		t.Cleanup(func() { _ = s.Close() })
		return &api{t: t, s: s, h: s.Handler(), base: made.base, token: made.token}
	}
	a := process()
	group := a.group("staff", nil)
	costs := func(round string) (all []string) {
		a.user("first of " + round) // after a change of the tenant, the first request reads twice
		body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"mia","title":"t"}`
		all = append(all, "POST "+a.spends(201, "POST", "/Users", body))
		list := a.must(200, "GET", "/Users?filter=userName%20eq%20%22mia%22", "")["Resources"].([]any)
		id := list[0].(map[string]any)["id"].(string)
		return append(all,
			"PATCH "+a.spends(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"u"}`)),
			"PUT "+a.spends(200, "PUT", "/Users/"+id, body),
			"add a member "+a.spends(204, "PATCH", "/Groups/"+group, patchBody(add(id))),
			"GET "+a.spends(200, "GET", "/Users/"+id, ""),
			"DELETE "+a.spends(204, "DELETE", "/Users/"+id, ""))
	}
	nothing := patchBody(`{"op":"replace","path":"displayName","value":"staff"}`)
	inNew := func() (calls int, read, write float64) {
		cost := process().spends(204, "PATCH", "/Groups/"+group, nothing)
		if _, err := fmt.Sscanf(cost, "calls=%d, read=%f, write=%f", &calls, &read, &write); err != nil {
			t.Fatal(err)
		}
		return calls, read, write
	}
	without := costs("the tenant without a policy")
	calls, read, write := inNew()
	a.mustAdmin(200, "PUT", "/policy", `{"members":{"attributes":{"position":{"from":"title","required":true}}},`+
		`"requests":{"forbid":["Groups.delete"]}}`)
	a.must(403, "DELETE", "/Groups/"+group, "")
	a.must(400, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ben"}`)
	a.must(201, "POST", "/Users",
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ben","title":"t"}`)
	a.mustAdmin(200, "PUT", "/policy", `{"requests":{"forbid":["Groups.delete"]}}`)
	with := costs("the tenant with one")
	if !slices.Equal(with, without) {
		t.Errorf("with a policy\n%s\nwithout one\n%s", strings.Join(with, "\n"), strings.Join(without, "\n"))
	}
	// A guard counts deactivations and deletions, and costs no other request anything.
	a.mustAdmin(200, "PUT", "/policy", `{"requests":{"guard":{"people":50},"forbid":["Groups.delete"]}}`)
	guarded := costs("the tenant with a guard")
	if last := len(with) - 1; !slices.Equal(guarded[:last], with[:last]) || guarded[last] == with[last] {
		t.Errorf("with a guard\n%s\nwithout one\n%s", strings.Join(guarded, "\n"), strings.Join(with, "\n"))
	} else {
		t.Logf("with a guard: %s, without one: %s", guarded[last], with[last])
	}
	// Verified domains stand in the tenant's item.
	a.mustAdmin(201, "POST", "/domains", `{"name":"example.com"}`)
	a.mustAdmin(200, "POST", "/domains/example.com/verify", `{"override":true}`)
	a.mustAdmin(200, "PUT", "/policy",
		`{"members":{"exclude":{"users":"userName sw \"first\""}},`+
			`"requests":{"domains":["emails"],"forbid":["Groups.delete"]}}`)
	if judged := costs("the tenant with domains"); !slices.Equal(judged, with) {
		t.Errorf("with domains\n%s\nwithout\n%s", strings.Join(judged, "\n"), strings.Join(with, "\n"))
	}
	if c, r, w := inNew(); c != calls+1 || r != read+1 || w != write {
		t.Errorf("a new process spends %d calls, %v and %v units; without a policy %d, %v and %v",
			c, r, w, calls, read, write)
	}
	// It is written down in the log.
	if got := a.spends(403, "DELETE", "/Groups/"+group, ""); !strings.HasPrefix(got, "calls=2, read=1.0, write=1.0") {
		t.Errorf("a forbidden request costs %s", got)
	}
}

// TestPolicyTooLarge: a policy over the limit is a 400 of any size, also over that of a gateway, and nothing is saved.
func TestPolicyTooLarge(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", `{"description": "kept"}`)
	for _, size := range []int{300 << 10, 7 << 20, 10 << 20} {
		large := `{"description": "` + strings.Repeat("x", size) + `"}`
		for _, r := range [][2]string{{"PUT", "/policy"}, {"POST", "/policy/rehearse"}} {
			status, out := a.admin(r[0], r[1], large)
			if status != 400 || !strings.Contains(fmt.Sprint(out), "256 KiB") {
				t.Errorf("%s %s with %d bytes: %d %v", r[0], r[1], size, status, out)
			}
		}
		if status, _ := a.admin("PATCH", "", large); status != 413 {
			t.Errorf("another body of %d bytes: %d", size, status)
		}
	}
	if got := a.mustAdmin(200, "GET", "/policy", "")["description"]; got != "kept" {
		t.Errorf("the policy is %v", got)
	}
}
