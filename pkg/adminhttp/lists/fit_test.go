package lists

import (
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// TestFitting cuts lists so that an answer has room for them after its quotation marks are escaped.
func TestFitting(t *testing.T) {
	list := func(n int, element any) []any {
		all := make([]any, n)
		for i := range all {
			all[i] = element
		}
		return all
	}
	for name, c := range map[string]struct {
		all  []any
		want int
	}{
		"none":                     {nil, 0},
		"small ones":               {list(1000, scim.Object{"id": "x"}), 1000},
		"larger than any answer":   {list(2, strings.Repeat("x", maxList+1)), 1},
		"1 MB each, and its marks": {list(10, strings.Repeat("x", 1<<20-4)), 5},
		"quotation marks":          {list(10, strings.Repeat(`"`, 1<<18-2)), 5},
	} {
		if n := Fitting(c.all); n != c.want {
			t.Errorf("%s: %d have room, want %d", name, n, c.want)
		}
	}
}
