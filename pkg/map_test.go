package pkg_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "copy the lists of doc.go to the README")

// The lists of the package comment in doc.go, by the marks of their copies in the README.
var lists = map[string]string{
	"map":   "The rooms, bottom to top.",
	"where": "Where to add what:",
}

// listAfter returns the indented block that follows a sentence of a package comment.
func listAfter(t *testing.T, comment, sentence string) string {
	t.Helper()
	_, rest, found := strings.Cut(comment, sentence)
	if !found {
		t.Fatalf("doc.go does not say %q", sentence)
	}
	var list strings.Builder
	for line := range strings.Lines(rest) {
		if entry, indented := strings.CutPrefix(line, "\t"); indented {
			list.WriteString(entry)
		} else if list.Len() > 0 && strings.TrimSpace(line) != "" {
			break
		}
	}
	return list.String()
}

func mapComment(t *testing.T) string {
	t.Helper()
	i := slices.IndexFunc(parsed(t), func(s source) bool { return s.path() == "pkg/doc.go" })
	if i < 0 {
		t.Fatal("there is no pkg/doc.go")
	}
	return parsed(t)[i].file.Doc.Text()
}

// TestMapNamesEveryPackage: each package of pkg is in the map once, and nothing else is.
func TestMapNamesEveryPackage(t *testing.T) {
	named := map[string]int{}
	for line := range strings.Lines(listAfter(t, mapComment(t), lists["map"])) {
		if name, _, ok := strings.Cut(line, " "); ok && name != "" {
			named["pkg/"+name]++
		}
	}
	packages := map[string]bool{}
	for _, s := range parsed(t) {
		if s.dir != "pkg" && strings.HasPrefix(s.dir, "pkg/") {
			packages[s.dir] = true
		}
	}
	for dir := range packages {
		if named[dir] != 1 {
			t.Errorf("the map in pkg/doc.go has %s %d times; it has each package once", dir, named[dir])
		}
	}
	for dir := range named {
		if !packages[dir] {
			t.Errorf("the map in pkg/doc.go has %s, which is not there", dir)
		}
	}
}

// TestMapIsInReadme: the README has the lists of doc.go word for word.
func TestMapIsInReadme(t *testing.T) {
	name := filepath.Join("..", "README.md")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for mark, sentence := range lists {
		block := regexp.MustCompile("(?s)(<!-- " + mark + " -->\n```\n).*?(```\n)")
		want := listAfter(t, mapComment(t), sentence)
		whole := block.ReplaceAllFunc(text, func(old []byte) []byte {
			m := block.FindSubmatch(old)
			return slices.Concat(m[1], []byte(want), m[2])
		})
		switch {
		case !block.Match(text):
			t.Errorf("README.md has no block behind <!-- %s -->", mark)
		case string(whole) != string(text) && !*update:
			t.Errorf("README.md and pkg/doc.go differ after %q: run go test ./pkg -run TestMap -update", sentence)
		}
		text = whole
	}
	if *update {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
