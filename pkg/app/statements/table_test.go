package statements_test

import (
	_ "embed"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/statements.md")

//go:embed statements.tsv
var statements string

const (
	tableFile = "../../../docs/statements.md"
	tableHead = `# Statements

For whoever compares the endpoint with the needs of a product. After reading it you know the
statements of four products about SCIM, and the tests that show each.

L is Langdock, F is FE2 by Alamos, S is Sally, P is Leapsome. The tests are in ` + "`pkg/app/statements`" + `:
each sends SCIM requests and reads the admin API. This page is generated:
` + "`go test ./pkg/app/statements -run TestStatementsTable -update`" + `.

| number | statement | tests |
|---|---|---|
`
)

// numbered is a test of statements: their numbers, then words.
var numbered = regexp.MustCompile(`^Test((?:[LFSP][1-9][0-9]?)+)(?:[A-Z].*)?$`)

// TestStatementsTable holds docs/statements.md: each statement has a test, and each test that has a number a statement.
func TestStatementsTable(t *testing.T) {
	tests := testsByNumber(t)
	text := tableHead
	for line := range strings.Lines(statements) {
		number, sentence, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok || tests[number] == nil {
			t.Errorf("%q has no test of the name Test%s…", line, number)
		}
		text += "| " + number + " | " + sentence + " | " + strings.Join(tests[number], ", ") + " |\n"
		delete(tests, number)
	}
	for number, names := range tests {
		t.Errorf("statements.tsv has no %s, which %v shows", number, names)
	}
	if *update {
		if err := os.WriteFile(tableFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if had, err := os.ReadFile(tableFile); err != nil || string(had) != text {
		t.Errorf("docs/statements.md is not what the tests say, error %v: run this test with -update", err)
	}
}

// testsByNumber lists the tests of this package under the numbers in their names.
func testsByNumber(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string][]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			match := numbered.FindStringSubmatch(fn.Name.Name)
			if match == nil {
				continue
			}
			for _, number := range regexp.MustCompile(`[LFSP][0-9]+`).FindAllString(match[1], -1) {
				tests[number] = append(tests[number], "`"+fn.Name.Name+"`")
			}
		}
	}
	for _, names := range tests {
		slices.Sort(names)
	}
	return tests
}
