package adminhttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp"
)

// guarded sends a request through LocalGuard and returns its status; 204 if it got in.
func guarded(t *testing.T, key, remote, host string, header http.Header) int {
	t.Helper()
	inside := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/admin/v1/tenants", http.NoBody)
	r.RemoteAddr, r.Host = remote, host
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	adminhttp.LocalGuard(inside, key, nil).ServeHTTP(w, r)
	if w.Code != http.StatusNoContent && w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d is no problem+json", w.Code)
	}
	if (w.Code == http.StatusUnauthorized) != (w.Header().Get("WWW-Authenticate") != "") {
		t.Errorf("%d with WWW-Authenticate %q", w.Code, w.Header().Get("WWW-Authenticate"))
	}
	return w.Code
}

func TestGuardWithoutKey(t *testing.T) {
	for _, c := range []struct {
		remote, host string
		header       http.Header
		want         int
	}{
		{"127.0.0.1:5000", "127.0.0.1:8080", nil, 204},
		{"127.0.0.1:5000", "localhost:8080", nil, 204},
		{"127.0.0.1:5000", "LOCALHOST", nil, 204},
		{"[::1]:5000", "[::1]:8080", nil, 204},
		{"[::1]:5000", "[::1]", nil, 204},
		{"[::ffff:127.0.0.1]:5000", "127.0.0.1", nil, 204},
		{"127.0.0.2:5000", "127.0.0.1", nil, 204},
		{"127.0.0.1:5000", "127.0.0.1", http.Header{"Authorization": {"Bearer x"}}, 204},
		{"192.168.0.7:5000", "127.0.0.1:8080", nil, 403},
		{"[fe80::1%eth0]:5000", "[::1]:8080", nil, 403},
		{"", "localhost", nil, 403},
		{"@", "localhost", nil, 403},
		{"127.0.0.1:5000", "evil.example", nil, 403},
		{"127.0.0.1:5000", "localhost.evil.example:8080", nil, 403},
		{"127.0.0.1:5000", "127.0.0.1.evil.example", nil, 403},
		{"127.0.0.1:5000", "192.168.0.7:8080", nil, 403},
		{"127.0.0.1:5000", "", nil, 403},
		{"127.0.0.1:5000", "localhost:8080", http.Header{"Origin": {"http://localhost:8080"}}, 403},
		{"127.0.0.1:5000", "localhost:8080", http.Header{"Origin": {"null"}}, 403},
		{"127.0.0.1:5000", "localhost:8080", http.Header{"Origin": {""}}, 403},
	} {
		if got := guarded(t, "", c.remote, c.host, c.header); got != c.want {
			t.Errorf("from %q to %q with %v: %d, want %d", c.remote, c.host, c.header, got, c.want)
		}
	}
}

func TestGuardWithKey(t *testing.T) {
	for value, want := range map[string]int{
		"Bearer open sesame": 204, "bearer open sesame": 204,
		"": 401, "open sesame": 401, "Bearer": 401, "Bearer ": 401, "Bearer open": 401, "Bearer open sesame!": 401,
		"Basic open sesame": 401,
	} {
		header := http.Header{}
		if value != "" {
			header.Set("Authorization", value)
		}
		if got := guarded(t, "open sesame", "192.168.0.7:5000", "scim.example.com", header); got != want {
			t.Errorf("from elsewhere with %q: %d, want %d", value, got, want)
		}
		if got := guarded(t, "open sesame", "127.0.0.1:5000", "localhost", header); got != want {
			t.Errorf("from this machine with %q: %d, want %d", value, got, want)
		}
	}
}
