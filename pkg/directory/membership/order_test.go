package membership_test

import (
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// FuzzCompareKeys holds the order of values against the order of their keys in the table.
func FuzzCompareKeys(f *testing.F) {
	for _, pair := range [][2]string{
		{"", ""},
		{"a", "ab"},
		{"a\x01", "ab"},
		{"a\x02", "a\x01"},
		{"a\x00b", "a"},
		{"ä", "z"},
	} {
		f.Add(pair[0], pair[1])
	}
	k := store.KeysOf("t")
	f.Fuzz(func(t *testing.T, a, b string) {
		want := strings.Compare(k.Member("g", a).SK, k.Member("g", b).SK)
		if got := membership.CompareKeys(a, b); got != want {
			t.Errorf("%q, %q: %d, not %d", a, b, got, want)
		}
	})
}
