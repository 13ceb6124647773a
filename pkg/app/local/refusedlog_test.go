package local_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

// TestRefusedRequestNamesTenant: the log line of a request without a good token has the tenant of its path under a name
// of its own, if it can be one, so that the operator finds the customer whose token is wrong.
func TestRefusedRequestNamesTenant(t *testing.T) {
	var log bytes.Buffer
	o := quiet()
	o.Log, o.JSON = &log, true
	s := local.New(o, memory(t), io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	a := tenantOn(t, s, "acme", "generic")
	for _, c := range []struct{ path, token, want string }{
		{"/scim/v2/acme/Users", "wrong", `"tenant":"","token":"","calls":`},
		{"/scim/v2/acme/Users", "wrong", `,"pathTenant":"acme"}`},
		{"/scim/v2/acme/Users", a.token, `"tenant":"acme"`},
		{"/scim/v2/jim@example.com/Users", "wrong", `"tenant":""`},
	} {
		log.Reset()
		r := httptest.NewRequest(http.MethodGet, c.path, http.NoBody)
		r.Header.Set("Authorization", "Bearer "+c.token)
		a.h.ServeHTTP(httptest.NewRecorder(), r)
		line := log.String()
		if !strings.Contains(line, c.want) {
			t.Errorf("%s: the log has no %s: %s", c.path, c.want, line)
		}
		if c.token == a.token && strings.Contains(line, "pathTenant") || strings.Contains(line, "jim") {
			t.Errorf("%s: the log has too much: %s", c.path, line)
		}
	}
}
