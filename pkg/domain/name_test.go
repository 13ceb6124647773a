package domain_test

import (
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/domain"
)

func TestOf(t *testing.T) {
	for address, want := range map[string]string{
		"ada@example.com": "example.com", "Ada.L@EXAMPLE.com": "example.com", "ada@MÜNCHEN.de": "münchen.de",
		"a b@example.com": "example.com", "ada@XN--MNCHEN-3YA.de": "xn--mnchen-3ya.de", "ada@例え.jp": "例え.jp",
		"ada@localhost": "localhost", "ada@" + strings.Repeat("a.", 125) + "com": strings.Repeat("a.", 125) + "com",
	} {
		if got, ok := domain.Of(address); !ok || got != want {
			t.Errorf("%q: %q, %t, want %q", address, got, ok, want)
		}
	}
	for _, address := range []string{
		"", "ada", "@", "ada@", "@example.com", "ada@x@example.com", "ada@@example.com", "ada@example.com@evil.com",
		"ada@example.com ", " ada@example.com", "ada@ example.com", "ada@example..com", "ada@[192.0.2.1]",
		"ada@example.com\n", "ada@example.com.", "ada@.example.com", "ada@-example.com", "ada@example-.com",
		"ada@exam_ple.com", "ada@\xffexample.com",
		"ada@İbm.com", "ada@\u212Aelvin.de", "ada@" + strings.Repeat("a.", 126) + "com",
	} {
		if got, ok := domain.Of(address); ok {
			t.Errorf("%q has the domain %q", address, got)
		}
	}
}

// FuzzOf: the domain of a domain is itself, and nothing beyond ASCII becomes ASCII.
func FuzzOf(f *testing.F) {
	for _, s := range []string{
		"ada@example.com", "ada@MÜNCHEN.de", "a@xn--a.com", "a@a--b.com", "a@b@c", "a@1.2", "a@a.", "a@İ.de",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		name, ok := domain.Of(address)
		if !ok {
			return
		}
		if again, ok := domain.Of("x@" + name); !ok || again != name {
			t.Errorf("%q of %q becomes %q, %t", name, address, again, ok)
		}
		if !strings.EqualFold(name, address[strings.IndexByte(address, '@')+1:]) {
			t.Errorf("%q of %q is another domain", name, address)
		}
		if !domain.SetOf("example.com", name).Has(name) ||
			name != "example.org" && domain.SetOf("example.org").Has(name) {
			t.Errorf("%q is in the wrong sets", name)
		}
	})
}
