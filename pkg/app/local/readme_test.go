package local_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// The shell blocks of the documentation that stand after a line `<!-- run ... -->` run as they are written, in
// order, in one shell. A block of JSON after a line `<!-- answer -->` is the last output of the block before it.
func TestDocumentedCommandsRun(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT RUN: the commands of the documentation: %v", err)
		}
	}
	for _, file := range []string{"README.md", "docs/admin-api.md", "docs/integrate.md"} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile("../../../" + file)
			if err != nil {
				t.Fatal(err)
			}
			script, answers := marked(string(text))
			if script == "" {
				t.Fatal("no block is marked to be run")
			}
			s, err := local.Open(t.Context(), quiet())
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
			shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
			shell.Dir = t.TempDir()
			out, err := shell.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
			for i, printed := range strings.Split(string(out), blockBegins)[1:] {
				if want := answers[i]; want != "" {
					checkAnswer(t, want, printed)
				}
			}
		})
	}
}

// blockBegins stands before the output of each block.
const blockBegins = "=== block ==="

// marked returns the fenced blocks of a Markdown text that follow a line `<!-- run`, and the expected output of each,
// or "".
func marked(text string) (commands string, answers []string) {
	var script strings.Builder
	var marker string // of the next block
	var inside bool
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "<!-- run"), strings.HasPrefix(line, "<!-- answer"):
			marker = strings.Fields(line)[1]
		case strings.HasPrefix(line, "```") && inside:
			inside, marker = false, ""
		case strings.HasPrefix(line, "```"):
			if inside = true; strings.HasPrefix(marker, "run") {
				script.WriteString("echo; echo '" + blockBegins + "'\n")
				answers = append(answers, "")
			}
		case inside && strings.HasPrefix(marker, "run"):
			script.WriteString(line)
		case inside && marker == "answer":
			answers[len(answers)-1] += line
		}
	}
	return script.String(), answers
}

// checkAnswer compares an answer with that in a document. "…" stands for any value, as the first or last element of
// an array for any others, and as the name of a member for any other members. Ids, times and sequence numbers differ.
func checkAnswer(t *testing.T, shown, printed string) {
	t.Helper()
	var want, got any
	if err := json.Unmarshal([]byte(shown), &want); err != nil {
		t.Errorf("%v in the answer that is shown: %s", err, shown)
		return
	}
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
		t.Errorf("%v in what is printed: %s", err, printed)
		return
	}
	if at := differs("", want, got); at != "" {
		t.Errorf("the answer differs at %s; shown is\n%s\nprinted is\n%s", at, shown, lines[len(lines)-1])
	}
}

// changing finds the values that differ each time: UUIDs, times, and the epoch of a log in the id of an event.
var changing = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z|-[a-z0-9]{8}-\d+`)

// differs returns the place at which two values differ; "" if they agree.
func differs(at string, want, got any) string {
	switch want := want.(type) {
	case string:
		text, ok := got.(string)
		if want == "…" || ok && changing.ReplaceAllString(want, "*") == changing.ReplaceAllString(text, "*") {
			return ""
		}
	case map[string]any:
		object, ok := got.(map[string]any)
		_, others := want["…"]
		if !ok || !others && len(object) != len(want) {
			break
		}
		for name, v := range want {
			value, there := object[name]
			if name == "…" {
				continue
			}
			if !there {
				return at + "/" + name
			}
			if place := differs(at+"/"+name, v, value); place != "" {
				return place
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if ok && len(want) > 1 && want[0] == "…" {
			return behindSome(at, want[1:], list)
		}
		others := len(want) > 0 && want[len(want)-1] == "…"
		if others {
			want = want[:len(want)-1]
		}
		if !ok || len(list) < len(want) || !others && len(list) != len(want) {
			break
		}
		for i, v := range want {
			if place := differs(fmt.Sprint(at, "/", i), v, list[i]); place != "" {
				return place
			}
		}
		return ""
	case float64:
		_, number := got.(float64)
		if want == got || number && (strings.HasSuffix(at, "/sequence") || at == "/last") {
			return ""
		}
	default:
		if want == got {
			return ""
		}
	}
	return cmp.Or(at, "the top")
}

// behindSome compares the shown elements with those of a list after any others.
func behindSome(at string, want, list []any) string {
	for i := range list {
		if differs(at, want, list[i:]) == "" {
			return ""
		}
	}
	return cmp.Or(at, "the top")
}
