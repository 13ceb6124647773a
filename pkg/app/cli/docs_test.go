package cli

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli/arguments"
)

// shown are the command lines of the documentation.
var shown = regexp.MustCompile("(?m)(?:go run ./functions/local|… token)([^`#\n]*)")

// TestDocumentedLines: the command line takes each line that the documentation shows.
func TestDocumentedLines(t *testing.T) {
	files, err := filepath.Glob("../../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range append(files, "../../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(string(text), -1) {
			line := strings.TrimPrefix(strings.TrimSpace(m[0]), "go run ./functions/local")
			line = strings.NewReplacer("…", "", `"$ADMIN_URL"`, "https://example.com", `"Example Ltd"`, "Example", "[", "", "]",
				"").Replace(line)
			count++
			if err := parse(strings.Fields(line)); err != nil {
				t.Errorf("%s: %q: %v", filepath.Base(file), m[0], err)
			}
		}
	}
	if count < 15 {
		t.Errorf("found only %d lines", count)
	}
}

// parse reads a command line and runs nothing.
func parse(args []string) (err error) {
	defer func() {
		if _, help := recover().(finished); help {
			err = nil
		}
	}()
	parser, err := kong.New(&grammar{}, kong.Writers(io.Discard, io.Discard),
		kong.Exit(func(code int) { panic(finished(code)) }))
	if err != nil {
		return err
	}
	if args, _, err = arguments.Arrange(args, parser.Model); err != nil {
		return err
	}
	_, err = parser.Parse(args)
	return err
}
