package portal_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestOverview: on a server that is open to its machine, the operator sees all tenants at "/" and opens the pages of
// one.
func TestOverview(t *testing.T) {
	s, err := local.Open(t.Context(), local.Options{
		Engine: "bolt", Data: boltstore.Memory, Log: &strings.Builder{}, Out: &strings.Builder{},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for id, name := range map[string]string{"acme": "Acme <b>", "globex": "Globex"} {
		_, _, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: id, Name: name, IdP: "entra"})
		if err != nil {
			t.Fatal(err)
		}
	}
	send := func(method, path, body, from, host, origin string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://"+host+path, strings.NewReader(body))
		r.RemoteAddr = from
		r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if body != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w
	}
	const here, host = "127.0.0.1:5000", "127.0.0.1:8080"
	w := send("GET", "/", "", here, host, "")
	for _, want := range []string{"Acme &lt;b&gt;", "Globex", "Waiting for the first request"} {
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d, without %q: %s", w.Code, want, w.Body)
		}
	}
	w = send("POST", "/operator/link", "tenant=acme", here, host, "http://"+host)
	to, code, found := strings.Cut(w.Header().Get("Location"), "#")
	if w.Code != http.StatusSeeOther || !found || len(code) < 20 {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if w := send("POST", to, "code="+code, here, host, "http://"+host); w.Code != http.StatusSeeOther {
		t.Errorf("the link is answered %d: %s", w.Code, w.Body)
	}
	if w := send("POST", "/operator/link", "tenant=nobody", here, host, ""); w.Code != http.StatusNotFound {
		t.Errorf("a link of no tenant: %d", w.Code)
	}
	for what, w := range map[string]*httptest.ResponseRecorder{
		"from another machine":   send("GET", "/", "", "192.0.2.1:5000", host, ""),
		"under another name":     send("GET", "/", "", here, "attacker.example", ""),
		"a form of another site": send("POST", "/operator/link", "tenant=acme", here, host, "http://attacker.example"),
	} {
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", what, w.Code)
		}
	}
	keyed := newWorld(t)
	r := httptest.NewRequest("GET", "http://"+host+"/", nil)
	r.RemoteAddr = here
	r.Header.Set("Accept", "text/html")
	rec := httptest.NewRecorder()
	keyed.s.Handler().ServeHTTP(rec, r)
	if rec.Code != http.StatusUnauthorized {
		t.Errorf("without the admin key: %d", rec.Code)
	}
}
