package adminhttp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp"
)

// TestAdminHost: if the admin API has its own host name, requests to other host names do not reach it, and their
// answers do not show that it exists.
func TestAdminHost(t *testing.T) {
	h := adminhttp.New(adminhttp.Config{Tenants: newServer(t, "").tenants, Host: "admin.example.com"})
	const nothing = "There is no route at /admin/v1/tenants."
	for host, want := range map[string]int{
		"admin.example.com": 200, "Admin.Example.COM": 200, "scim.example.com": 404,
		"admin.example.com.evil.example": 404, "": 404, "abc.execute-api.eu-central-1.amazonaws.com": 404,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/admin/v1/tenants", http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || w.Code == 404 && !strings.Contains(w.Body.String(), nothing) {
			t.Errorf("at %q: %d %s", host, w.Code, w.Body)
		}
	}
}
