package tenant_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

var shape = regexp.MustCompile(`^scim_([0-9a-z]{12,32})_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$`)

const secret = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"

func TestTokenShape(t *testing.T) {
	w := newWorld(t)
	token := w.create(t, "acme")
	m := shape.FindStringSubmatch(token.Value)
	if m == nil || m[1] != token.ID {
		t.Fatalf("token %q of id %q has not the documented shape", token.Value, token.ID)
	}
	if want := sealed(token.Value[:strings.LastIndex(token.Value, "_")]); want != token.Value {
		t.Errorf("checksum: got %q, want %q", token.Value, want)
	}
	if id, ok := tenant.ParseToken(token.Value); !ok || id != token.ID {
		t.Errorf("ParseToken = %q, %v", id, ok)
	}
}

func TestTokensUseTheWholeAlphabetEvenly(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	count, total := map[rune]int{}, 0
	for range 150 {
		token := w.issue(t, "acme")
		for _, r := range strings.Split(token.Value, "_")[2] {
			count[r]++
			total++
		}
		if err := w.Revoke(w.ctx, "acme", token.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	if len(count) != 62 {
		t.Fatalf("%d letters in use, want 62", len(count))
	}
	for r, n := range count {
		// 104 expected, standard deviation 10: six of them either way. A modulo bias of 256 over 62 would add a
		// quarter.
		if n < 43 || n > 165 {
			t.Errorf("%c appears %d times in %d", r, n, total)
		}
	}
}

func TestParseTokenRefuses(t *testing.T) {
	good := sealed("scim_abcdef012345_" + secret)
	if _, ok := tenant.ParseToken(good); !ok {
		t.Fatalf("%q is good", good)
	}
	for _, bad := range []string{
		"", "_", "__", "scim_", "scim__", "scim___", "scim_abcdef012345", "x", good + "x", good[:len(good)-1],
		" " + good,
		strings.ToUpper(good),
		strings.Replace(good, "scim_", "scin_", 1),
		strings.Replace(good, "0123456789A", "0123456789B", 1), // checksum
		sealed("scim_abcdef01234_" + secret),                   // id too short
		sealed("scim_" + strings.Repeat("a", 33) + "_" + secret),
		sealed("scim_ABCDEF012345_" + secret),
		sealed("scim_abcdef012345_" + secret[1:]),
		sealed("scim_abcdef012345_" + secret + "0"),
		sealed("scim_abcdef012345_" + secret[1:] + "-"),
		sealed("scim_abcdef012345_" + secret[1:] + "é"),
		sealed("scim_abcdef012345_" + secret[:20] + "_" + secret[21:]),
		sealed("SCIM_abcdef012345_" + secret),
		strings.Repeat("scim_", 1<<16),
	} {
		if id, ok := tenant.ParseToken(bad); ok {
			t.Errorf("ParseToken(%.80q) = %q, want refused", bad, id)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("")
	f.Add(sealed("scim_abcdef012345_" + secret))
	f.Add(sealed("scim_" + strings.Repeat("z", 32) + "_" + secret))
	f.Add("scim_abcdef012345_" + secret + "_000000")
	f.Fuzz(func(t *testing.T, value string) {
		id, ok := tenant.ParseToken(value)
		m := shape.FindStringSubmatch(value)
		want := m != nil && sealed(value[:strings.LastIndex(value, "_")]) == value
		if ok != want || ok && id != m[1] || !ok && id != "" {
			t.Errorf("ParseToken(%q) = %q, %v; want %v", value, id, ok, want)
		}
	})
}
