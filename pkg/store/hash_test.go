package store_test

import (
	"hash/fnv"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestHash: Hash is FNV-1a, as the keys of due tenants in a table were written.
func TestHash(t *testing.T) {
	for _, text := range []string{"", "a", "acme", "größe", "\x00\xff", strings.Repeat("tenant", 100)} {
		want := fnv.New32a()
		_, _ = want.Write([]byte(text))
		if got := store.Hash(text); got != want.Sum32() {
			t.Errorf("%q: %d, want %d", text, got, want.Sum32())
		}
	}
}
