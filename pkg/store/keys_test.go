package store_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestPartitionsAreComplete compares Partitions with the sources of the keys: the items of a partition that it lacks
// would outlive their tenant.
func TestPartitionsAreComplete(t *testing.T) {
	elsewhere := []string{
		"",    // the tenant's own
		"#Y#", // those that OtherType names
		"#L",  // LogPartition, which goes last
		"#L#", // those that LogPartition names
	}
	files, err := filepath.Glob("*keys.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bk\.pk\("([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
		}
	}
	var listed []string
	k := store.KeysOf("acme")
	for _, pk := range k.Partitions() {
		listed = append(listed, strings.TrimPrefix(pk, k.Tenant().PK))
	}
	want := slices.Sorted(maps.Keys(used))
	if got := slices.Sorted(slices.Values(append(listed, elsewhere...))); !slices.Equal(got, want) {
		t.Errorf("Partitions and the exceptions are %q, the keys have %q", got, want)
	}
}
