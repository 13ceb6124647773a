package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/metric"
)

// TestRunbookMessages: each log message that docs/operations.md quotes, or that is counted for an alarm, is one that
// the code logs.
func TestRunbookMessages(t *testing.T) {
	docs, err := os.ReadFile(filepath.Join(top, "docs/operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	err = filepath.WalkDir(filepath.Join(top, "pkg"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.Contains(filepath.ToSlash(path), "/metric/") {
			return err
		}
		text, err := os.ReadFile(path)
		code.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for message := range metric.Counted {
		if !strings.Contains(code.String(), `Context(ctx, "`+message+`"`) {
			t.Errorf("no code logs %q", message)
		}
	}
	_, text, _ := strings.Cut(string(docs), "| alarm | means | do |\n")
	text, _, _ = strings.Cut(text, "\n## Events\n")
	messages := 0
	// Two words or more, the first of which is no command.
	for _, m := range regexp.MustCompile("`([a-zA-Z]+( [a-zA-Z]+)+)`").FindAllStringSubmatch(text, -1) {
		if regexp.MustCompile("^(doctor|webhooks|domains|token|log) (-|test|list|verify)").MatchString(m[1]) {
			continue
		}
		messages++
		if !strings.Contains(code.String(), m[1]) {
			t.Errorf("no code says %q", m[1])
		}
	}
	if messages < 12 {
		t.Errorf("only %d messages were found", messages)
	}
}
