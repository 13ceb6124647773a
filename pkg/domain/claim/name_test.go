package claim_test

import (
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"example.com": "example.com", "Example.COM.": "example.com", "mail.example.co.uk": "mail.example.co.uk",
		"münchen.de": "xn--mnchen-3ya.de", "XN--MNCHEN-3YA.de": "xn--mnchen-3ya.de", "straße.de": "xn--strae-oqa.de",
		"例え.jp": "xn--r8jz45g.jp", "acme.test": "acme.test", "a-b.example.com": "a-b.example.com",
		"ｅｘａｍｐｌｅ.com": "example.com", "mu\u0308nchen.de": "xn--mnchen-3ya.de", "раураl.com": "xn--l-7sba6dbr.com",
		strings.Repeat("a.", 117) + "com": strings.Repeat("a.", 117) + "com",
	} {
		if got, err := claim.Parse(text); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", ".", "..", "com", "localhost", "192.0.2.1", "[2001:db8::1]", "2001:db8::1",
		"example.com..", ".example.com", "exa mple.com", "exam_ple.com", "-a.com", "a-.com", "*.example.com",
		"ada@example.com", "https://example.com", "example.com/x", "1.2.3.4.5", "xn--a.com", "a\x00.com",
		"example.com\n", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 118) + "com",
		strings.Repeat("a.", 1000) + "com", "\xff.com", "ex\u200dample.com",
	} {
		if got, err := claim.Parse(text); err == nil {
			t.Errorf("%q is taken as %q", text, got)
		}
	}
}
