package local_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// root sends a request to the admin API, outside a tenant, and returns the answer with its request id.
func (a *api) root(status int, method, path, body string) (out object, requestID string) {
	a.t.Helper()
	r := httptest.NewRequest(method, "http://localhost/admin/v1"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	if w.Code != status {
		a.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			a.t.Fatal(err)
		}
	}
	return out, w.Header().Get("X-Request-Id")
}

// operatorLog returns entries of the operator's log, each as "METHOD PATH outcome status caller".
func (a *api) operatorLog(filter string) (lines []string, entries []object) {
	a.t.Helper()
	out, _ := a.root(200, "GET", "/log?filter="+url.QueryEscape(filter), "")
	for _, v := range out["entries"].([]any) {
		e := v.(object)
		entries = append(entries, e)
		lines = append(lines, fmt.Sprint(e["method"], " ", e["path"], " ", e["outcome"], " ", e["status"], " ", e["caller"]))
	}
	return lines, entries
}

// TestOperatorLog: the changes that belong to no tenant are in a log of the operator's, with the caller, and so are the
// making and the deletion of a tenant, which it outlives.
func TestOperatorLog(t *testing.T) {
	a := hooked(t, memory(t))
	hook, _ := a.root(201, "POST", "/webhooks", `{"url":"https://app.example.com/","types":["*"],"active":false}`)
	id := hook["id"].(string)
	a.root(200, "PATCH", "/webhooks/"+id, `{"description":"ours"}`)
	a.root(400, "PATCH", "/webhooks/"+id, `{"url":"http://169.254.169.254/"}`)
	a.root(200, "POST", "/webhooks/"+id+"/rotate-secret", "")
	a.root(201, "POST", "/clients", `{"name":"Provisioning","scopes":["read"]}`)
	a.root(201, "POST", "/tenants", `{"id":"beta","name":"Beta"}`)
	a.root(200, "PATCH", "/tenants/beta", `{"name":"Better"}`)
	_, deletion := a.root(202, "DELETE", "/tenants/beta", "")
	a.root(404, "DELETE", "/tenants/beta", "")
	a.root(404, "POST", "/tenants/gamma/tokens", "{}")
	a.root(200, "GET", "/webhooks", "")
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, entries := a.operatorLog("")
	want := []string{
		"POST /tenants/gamma/tokens refused 404 local",
		"DELETE /tenants/beta refused 404 local",
		"DELETE /tenants/beta done 202 local",
		"POST /tenants done 201 local",
		"POST /clients done 201 local",
		"POST /webhooks/" + id + "/rotate-secret done 200 local",
		"PATCH /webhooks/" + id + " refused 400 local",
		"PATCH /webhooks/" + id + " done 200 local",
		"POST /webhooks done 201 local",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("the log is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if all := fmt.Sprint(entries); strings.Contains(all, "whsec") || strings.Contains(all, hook["secret"].(string)) {
		t.Errorf("the log has a secret: %s", all)
	}
	_, found := a.operatorLog(`method eq "DELETE" and path eq "/tenants/beta" and outcome eq "done"`)
	if len(found) != 1 || found[0]["requestId"] != deletion {
		t.Errorf("the deletion %s is found as %v", deletion, found)
	}
	one, _ := a.root(200, "GET", "/log/"+found[0]["id"].(string), "")
	if one["caller"] != "local" || one["requestId"] != deletion {
		t.Errorf("entry %v", one)
	}
	page, _ := a.root(200, "GET", "/log?count=2", "")
	next, _ := a.root(200, "GET", "/log?count=1&cursor="+page["nextCursor"].(string), "")
	if next["entries"].([]any)[0].(object)["id"] != found[0]["id"] {
		t.Errorf("the next page is %v", next)
	}
	a.root(404, "GET", "/log/"+strings.Repeat("1", 16)+"-0000abcdefgh", "")
	a.root(400, "GET", "/log?language=en", "")
	a.root(400, "GET", "/log?filter=x", "")
	if own := a.log(""); len(own) != 0 {
		t.Errorf("the log of another tenant has %v", own)
	}
	a.forward(91 * 24 * time.Hour)
	if got, _ := a.operatorLog(""); len(got) > 0 {
		t.Errorf("after 91 days there is %v", got)
	}
}

// TestNoDeletionWithoutATrace kills the process after each write of the deletion of a tenant: if the tenant is deleted,
// the operator's log says by whom.
func TestNoDeletionWithoutATrace(t *testing.T) {
	outcomes := map[bool]int{}
	for writes := range 4 {
		engine := memory(t)
		a := on(t, engine, "generic")
		dying := faultstore.New(engine, nil)
		mortal := local.New(quiet(), dying, io.NopCloser(nil))
		dying.KillAfterWrites(writes)
		r := httptest.NewRequest("DELETE", "http://localhost/admin/v1/tenants/acme", nil)
		r.RemoteAddr = "127.0.0.1:4711"
		mortal.Handler().ServeHTTP(httptest.NewRecorder(), r)
		if err := mortal.Close(); err != nil {
			t.Error(err)
		}
		_, err := a.s.Tenants().Get(t.Context(), "acme")
		got, _ := a.operatorLog(`path eq "/tenants/acme" and caller eq "local"`)
		deleted := err != nil
		if outcomes[deleted]++; deleted && len(got) != 1 {
			t.Errorf("after %d writes: deleted %v, log %v", writes, deleted, got)
		}
	}
	if len(outcomes) != 2 {
		t.Errorf("the tenant was deleted, or not: %v", outcomes)
	}
}
