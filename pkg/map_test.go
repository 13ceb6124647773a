package pkg_test

import (
	"slices"
	"strings"
	"testing"
)

// mapBegins is the sentence of the package comment in doc.go that stands before the map.
const mapBegins = "The packages, bottom to top."

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
	for line := range strings.Lines(listAfter(t, mapComment(t), mapBegins)) {
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

// glossaryBegins is the sentence of the package comment in doc.go that stands before the glossary.
const glossaryBegins = "The words of the project."

// TestGlossary: the words of the glossary are sorted, none is there twice, and each has an explanation on its line.
func TestGlossary(t *testing.T) {
	last, count := "", 0
	for line := range strings.Lines(listAfter(t, mapComment(t), glossaryBegins)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		word, meaning, _ := strings.Cut(line, "  ")
		if meaning = strings.TrimSpace(meaning); meaning == "" {
			t.Errorf("the glossary does not explain %q", word)
		}
		if word <= last {
			t.Errorf("the glossary has %q behind %q", word, last)
		}
		last, count = word, count+1
	}
	if count < 40 {
		t.Errorf("found only %d words", count)
	}
}
