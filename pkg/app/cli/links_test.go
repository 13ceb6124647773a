package cli_test

import (
	"regexp"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

// TestLinks creates links, one of them with a mail, and ends one.
func TestLinks(t *testing.T) {
	url := serveOn(t, local.Options{})
	good(t, url, "tenants", "create", "Acme", "-id", "acme")
	out := good(t, url, "links", "create", "acme", "-email", "it@acme.example", "-language", "de", "-role", "reader")
	made := regexp.MustCompile(`(?s)^` + url + `/setup/(acme\.[a-z2-7]{16})#[A-Z2-7]{26}\n.*on its way to it@acme\.example`).
		FindStringSubmatch(out)
	if made == nil {
		t.Fatal(out)
	}
	wants := func(want string, args ...string) {
		t.Helper()
		if out := good(t, url, args...); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%v: no %s in %s", args, want, out)
		}
	}
	wants(made[1]+` +reader +open +it@acme\.example +20`, "links", "list", "acme")
	wants(`has ended|have ended`, "links", "revoke", "acme", made[1])
	wants(made[1]+` +reader +ended`, "links", "list", "acme")
	wants(`setup-link`, "notices", "list", "acme")
	for _, args := range [][]string{
		{"links", "revoke", "acme", "acme.none"},
		{"links", "create", "nobody"},
		{"links", "create", "acme", "-hours", "900"},
		{"links", "create", "acme", "-email", "a b"},
	} {
		if code, _, err := run(t, append([]string{"-url", url}, args...)...); code != 1 || err == "" {
			t.Errorf("%v: %d %s", args, code, err)
		}
	}
}
