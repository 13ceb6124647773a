package adminhttp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func TestBaseURLOfTheRequest(t *testing.T) {
	s := newServer(t, "")
	s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`)
	h := adminhttp.New(adminhttp.Config{Tenants: s.tenants})
	for proto, want := range map[string]string{
		"": "http", "http": "http", "https": "https", "HTTPS, http": "https", "http, https": "http",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet,
			"http://scim.example.com/admin/v1/tenants/acme", http.NoBody)
		r.Header.Set("X-Forwarded-Proto", proto)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if url := `"scimBaseUrl":"` + want + `://scim.example.com/scim/v2/acme"`; !strings.Contains(w.Body.String(), url) {
			t.Errorf("X-Forwarded-Proto %q: %s, want %s", proto, w.Body, url)
		}
	}
}

// For any body the answer is a success or a client's mistake, never a 5xx.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `{"name":"x"}`, `{"id":"abc","name":"x","idp":"okta","settings":{"scim":{"patchBody":"none",` +
			`"uniqueGroupNames":true}}}`,
		`{"active":false,"settings":null,"name":null}`, `{"scopes":["read"],"expiresAt":"2027-01-01T00:00:00Z"}`,
		`{"settings":{"scim":{"x":{}}}}`,
		`{"expiresAt":"9999-12-31T23:59:59.999999999+23:59"}`, `{"name":"\ud800"}`, `{"name":1e999}`,
	} {
		f.Add(body)
	}
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: func() time.Time { return start }})
	h := adminhttp.New(adminhttp.Config{Tenants: tenants})
	if _, _, err := tenants.Create(f.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, c := range [][2]string{
			{"POST", "/admin/v1/tenants"},
			{"PATCH", "/admin/v1/tenants/acme"},
			{"POST", "/admin/v1/tenants/acme/tokens"},
		} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), c[0], c[1], strings.NewReader(body)))
			if w.Code >= 500 {
				t.Errorf("%s %s %q: %d %s", c[0], c[1], body, w.Code, w.Body)
			}
		}
		if got, err := tenants.Get(t.Context(), "acme"); err != nil || got.Name == "" {
			t.Errorf("%q spoiled the tenant: %+v, %v", body, got, err)
		}
	})
}
