package pkg_test

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// TestThreatsAreShown: each threat of docs/threats.md has a number of its own and names tests, all of which exist.
func TestThreatsAreShown(t *testing.T) {
	tests := map[string]bool{}
	for _, s := range parsed(t) {
		for _, decl := range s.file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && s.test {
				tests[fn.Name.Name] = true
			}
		}
	}
	names, row := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`"), regexp.MustCompile(`^\| ([STRIDE]\d+) `)
	seen := map[string]bool{}
	for line := range strings.Lines(document(t, "docs/threats.md")) {
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if seen[m[1]] {
			t.Errorf("docs/threats.md has %s twice", m[1])
		}
		seen[m[1]] = true
		shown := names.FindAllStringSubmatch(line, -1)
		if len(shown) == 0 {
			t.Errorf("docs/threats.md: no test shows the answer to %s", m[1])
		}
		for _, name := range shown {
			if !tests[name[1]] {
				t.Errorf("docs/threats.md: %s is shown by %s, which does not exist", m[1], name[1])
			}
		}
	}
	for _, letter := range "STRIDE" {
		if !seen[string(letter)+"1"] {
			t.Errorf("docs/threats.md has no threat of kind %c", letter)
		}
	}
}
