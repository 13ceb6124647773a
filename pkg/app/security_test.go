package app_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app"
)

// TestSecurityPage: docs/security.md names the functions that may read the values of tokens, and the partitions of the
// table that are of no tenant; no more and no fewer than there are.
func TestSecurityPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, "docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Join(strings.Fields(string(text)), " ")
	var readers, hooks []string
	for _, f := range app.Functions() {
		if slices.Contains(f.Secrets, "secretsmanager:GetSecretValue") {
			readers = append(readers, f.Name)
		} else if f.Hooks {
			hooks = append(hooks, f.Name)
		}
	}
	read := regexp.MustCompile(`only the functions ([a-z, ]+?) may; ([a-z, ]+) reads the key of webhooks`)
	m := read.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("docs/security.md does not say which functions read tokens")
	}
	word := regexp.MustCompile(`[a-z]+`)
	for i, want := range [][]string{readers, hooks} {
		got := slices.DeleteFunc(word.FindAllString(m[i+1], -1), func(s string) bool { return s == "and" })
		same(t, "functions that docs/security.md names", got, want)
	}

	keys, err := filepath.Glob(filepath.Join(top, "pkg/store/*keys.go"))
	if err != nil || len(keys) == 0 {
		t.Fatal("pkg/store has no keys: ", err)
	}
	constant := regexp.MustCompile(`PK = "([A-Z]+)"|= Key\{"([A-Z]+)"`)
	partitions := map[string]bool{}
	for _, file := range keys {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range constant.FindAllStringSubmatch(string(code), -1) {
			partitions[m[1]+m[2]] = true
		}
	}
	_, list, _ := strings.Cut(page, "Lists across tenants (")
	list, _, _ = strings.Cut(list, ")")
	for _, name := range strings.Split(list, ", ") {
		if name = strings.Trim(name, "`"); !partitions[name] {
			t.Errorf("docs/security.md names the partition %s, which the keys do not", name)
		}
		delete(partitions, name)
	}
	for name := range partitions {
		t.Errorf("docs/security.md does not name the partition %s", name)
	}
}
