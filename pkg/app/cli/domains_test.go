package cli_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/dnstest"
)

// TestDomains takes a domain from its record to the end.
func TestDomains(t *testing.T) {
	dns := dnstest.New(t)
	url := serveOn(t, local.Options{DNS: dns.Address})
	good(t, url, "tenants", "create", "Acme", "-id", "acme")
	out := good(t, url, "domains", "add", "acme", "Example.com")
	record := regexp.MustCompile(`(?m)^(_scim-challenge\.example\.com) TXT ([A-Z2-7]{26})$`).FindStringSubmatch(out)
	if record == nil || !strings.HasPrefix(out, "example.com is pending.\n") {
		t.Fatalf("added: %s", out)
	}
	wants := func(want string, args ...string) {
		t.Helper()
		if out := good(t, url, args...); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%v: no %s in %s", args, want, out)
		}
	}
	code, out, err := run(t, "-url", url, "domains", "verify", "acme", "example.com")
	if code != 1 || !strings.HasPrefix(out, "example.com is pending.\n") ||
		!strings.HasSuffix(out, ": there is no such record.\n") || !strings.Contains(err, "not verified") {
		t.Errorf("without its record: %d %s %s", code, out, err)
	}
	dns.Says(record[1], dnstest.TXT(record[2]))
	wants(`^example\.com is verified\.\n$`, "domains", "verify", "acme", "example.com")
	good(t, url, "domains", "add", "acme", "münchen.de")
	wants(`^xn--mnchen-3ya\.de is verified\.\n$`, "domains", "verify", "acme", "münchen.de", "-override")
	wants(`(?s)example\.com +verified +dns +20.*mnchen-3ya\.de +verified +operator`, "domains", "list", "acme")
	wants(`^\{"domains":\[\{`, "domains", "list", "acme", "-json")
	wants(`example\.com is removed`, "domains", "remove", "acme", "example.com")
	for _, args := range [][]string{
		{"domains", "remove", "acme", "example.com"}, {"domains", "add", "acme", "com"}, {"domains", "list", "nobody"},
	} {
		if code, _, err := run(t, append([]string{"-url", url}, args...)...); code != 1 || err == "" {
			t.Errorf("%v: %d %s", args, code, err)
		}
	}
}
