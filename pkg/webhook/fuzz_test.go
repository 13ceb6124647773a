package webhook

import (
	"net/netip"
	"net/url"
	"testing"
)

// FuzzURL: a URL that is taken names a public host by https.
func FuzzURL(f *testing.F) {
	for _, u := range []string{
		"https://app.example.com/", "https://[::ffff:127.0.0.1]/", "https://2130706433/", "https://a@b", "http://x",
		"https://8.8.8.8",
	} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkURL(text, false) != "" {
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" || u.User != nil {
			t.Fatalf("%q is taken: %v", text, err)
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !open(a, false) {
			t.Fatalf("%q is taken", text)
		}
	})
}
