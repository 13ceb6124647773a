package local_test

import (
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// The shell blocks of the documentation that stand behind a line `<!-- run ... -->` run as they are written, in order,
// in one shell.
func TestDocumentedCommandsRun(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT RUN: the commands of the documentation: %v", err)
		}
	}
	for _, file := range []string{"README.md", "docs/admin-api.md"} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile("../../../" + file)
			if err != nil {
				t.Fatal(err)
			}
			script := marked(string(text))
			if script == "" {
				t.Fatal("no block is marked to be run")
			}
			s, err := local.Open(t.Context(), local.Options{Data: ":memory:", Engine: "bolt", Log: io.Discard, Out: io.Discard})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(s.Handler())
			defer func() {
				server.Close()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "demo", Name: "Demo"})
			if err != nil {
				t.Fatal(err)
			}
			script = strings.NewReplacer("http://127.0.0.1:8080", server.URL, "TOKEN=scim_...", "TOKEN="+token.Value).
				Replace(script)
			out, err := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
		})
	}
}

// marked returns the fenced blocks of a Markdown text that follow a line `<!-- run`.
func marked(text string) string {
	var script strings.Builder
	var next, inside bool
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "<!-- run"):
			next = true
		case strings.HasPrefix(line, "```"):
			inside, next = next, false
		case inside:
			script.WriteString(line)
		}
	}
	return script.String()
}
