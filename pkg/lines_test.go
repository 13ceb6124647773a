package pkg_test

import (
	"go/scanner"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// Columns of a line. A tab counts as four.
const (
	maxColumns      = 120
	maxProseColumns = 100
)

// TestLines: lines are short enough for a side-by-side comparison. In tests the text of raw strings does not count:
// most of it is JSON as a client sends it.
func TestLines(t *testing.T) {
	err := walk(func(name string) error {
		ext := path.Ext(name)
		if ext != ".go" && ext != ".md" {
			return nil
		}
		text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		long := longProse
		if ext == ".go" {
			raw := strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "pkg/scim/scimtest/")
			long = func(text string) []int { return longCode(text, raw) }
		}
		for _, line := range long(string(text)) {
			t.Errorf("%s:%d has too many columns, more than %d (prose: %d)", name, line, maxColumns, maxProseColumns)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// longCode returns the numbers of the lines of Go that are too long. With raw, the text of raw strings does not count.
func longCode(text string, raw bool) (long []int) {
	columns := []int{0}
	for line := range strings.Lines(text) {
		columns = append(columns, utf8.RuneCountInString(strings.TrimSuffix(line, "\n"))+3*strings.Count(line, "\t"))
	}
	if raw {
		var s scanner.Scanner
		file := token.NewFileSet().AddFile("", -1, len(text))
		s.Init(file, []byte(text), func(token.Position, string) {}, 0) // the compiler reports errors
		for {
			pos, tok, lit := s.Scan()
			if tok == token.EOF {
				break
			}
			if tok == token.STRING && lit[0] == '`' {
				at := file.Line(pos)
				for i, part := range strings.Split(lit, "\n") {
					columns[at+i] -= utf8.RuneCountInString(part) + 3*strings.Count(part, "\t")
				}
			}
		}
	}
	for line, n := range columns {
		if n > maxColumns {
			long = append(long, line)
		}
	}
	return long
}

// longProse returns the numbers of the lines of Markdown that are too long. Rows of tables and links without a blank
// cannot be broken; text between fences has the columns of code.
func longProse(text string) (long []int) {
	fenced, number := false, 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "```") {
			fenced = !fenced
		}
		most := maxProseColumns
		if fenced {
			most = maxColumns
		}
		breakable := strings.Contains(strings.TrimLeft(trimmed, "-* "), " ") && !strings.HasPrefix(trimmed, "|")
		if utf8.RuneCountInString(line) > most && (fenced || breakable) {
			long = append(long, number)
		}
	}
	return long
}

func TestLongLinesAreFound(t *testing.T) {
	a := strings.Repeat("a", maxColumns)
	for name, tc := range map[string]struct {
		text string
		prose,
		raw bool
		want int
	}{
		"fits":               {text: "// " + a[3:]},
		"comment":            {text: "package p\n\n// " + a, want: 3},
		"wide letters":       {text: "// " + strings.Repeat("ü", maxColumns-3)},
		"tab":                {text: "\tb()" + a[7:]},
		"tab, code too long": {text: "package p\n\n\tb()" + a[6:], want: 3},
		"tab and comment":    {text: "\t// " + a[7:]},
		"tab, too long":      {text: "package p\n\n\t// " + a[6:], want: 3},
		"raw string":         {text: "package p\nvar x = `" + a + "`", want: 2},
		"raw string, test":   {text: "package p\nvar x = `\n" + a + a + "\n`", raw: true},
		"beside a raw one":   {text: "package p\nvar x = `{}` // " + a, raw: true, want: 2},
		"string, test":       {text: "package p\nvar x = \"" + a + "\"", raw: true, want: 2},
		"prose":              {text: "\n" + strings.Repeat("a ", maxProseColumns/2+1), prose: true, want: 2},
		"row":                {text: "| " + a + " |", prose: true},
		"link":               {text: "- [" + a + "](https://example.com)", prose: true},
		"fence":              {text: "```\n" + a[:maxColumns] + "\n```", prose: true},
		"fence, too long":    {text: "```\n" + a + "a\n```", prose: true, want: 2},
		"prose after fences": {text: "```\n```\nb " + a, prose: true, want: 3},
	} {
		got := longCode(tc.text, tc.raw)
		if tc.prose {
			got = longProse(tc.text)
		}
		if want := tc.want; (want == 0) != (len(got) == 0) || want != 0 && got[0] != want {
			t.Errorf("%s: lines %v, want %d", name, got, want)
		}
	}
}
