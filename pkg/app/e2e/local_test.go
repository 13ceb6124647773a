package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/scim/scimtest"
)

func TestDialogues(t *testing.T) {
	scimtest.RunDialogues(t, serve(t, "-data", ":memory:", "-log-level", "warn").Target)
}

func TestSuitesOnAFile(t *testing.T) {
	slow.Test(t, "TestBehaviours and TestHostile of pkg/app/local do the same without a process")
	slow.NoRace(t)
	p := serve(t, "-log-level", "error")
	t.Run("behaviours", func(t *testing.T) { scimtest.RunBehaviours(t, p.Target) })
	t.Run("hostile", func(t *testing.T) { scimtest.RunHostile(t, p.Target) })
	t.Run("isolation", func(t *testing.T) { scimtest.RunIsolation(t, p.Target(t, "generic"), p.Target(t, "generic")) })
	t.Run("races", func(t *testing.T) { scimtest.RunRaces(t, p.Target) })
	if text := p.stderr.String(); text != "" {
		t.Errorf("no request is the server's mistake, but its log says:\n%.2000s", text)
	}
}

var demo = regexp.MustCompile(`(?s)base URL +(\S+)\s+token +(\S+) .*curl`)

// The first start creates the tenant demo, and prints a line to copy; the second start finds the tenant.
func TestDemo(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := serve(t, "-data", data)
	found := demo.FindStringSubmatch(p.stdout)
	if found == nil {
		t.Fatalf("no base URL, token and curl in:\n%s", p.stdout)
	}
	if want := p.URL + "/scim/v2/demo"; found[1] != want {
		t.Errorf("base URL %s, want %s", found[1], want)
	}
	c := tenant{url: p.URL, id: "demo", token: found[2]}
	id := c.must(t, 201, "POST", "/Users", user("ada@example.com"))["id"].(string)
	p.stop(t)
	if code := p.code(t); code != 0 {
		t.Errorf("exit code %d: %s", code, p.stderr)
	}
	p = serve(t, "-data", data)
	if strings.Contains(p.stdout, "token") {
		t.Errorf("the second start prints:\n%s", p.stdout)
	}
	c.url = p.URL
	if got := c.must(t, 200, "GET", "/Users/"+id, ""); got["userName"] != "ada@example.com" {
		t.Errorf("after a restart: %v", got)
	}
	if info, err := os.Stat(data); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read the data folder: %v %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Join(data, "scim.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the data file: %v %v", info.Mode(), err)
	}
}

// If the clock was moved, the next start says so; otherwise it says nothing about the clock.
func TestMovedClockIsTold(t *testing.T) {
	data := t.TempDir()
	p := serve(t, "-data", data, "-demo=false")
	at := time.Now().AddDate(0, 0, 200).UTC().Format(time.RFC3339)
	p.Must(t, 200, "PUT", "/clock", `{"now":"`+at+`"}`)
	if strings.Contains(p.stdout, "clock") {
		t.Errorf("the first start prints:\n%s", p.stdout)
	}
	p.stop(t)
	p.code(t)
	p = serve(t, "-data", data, "-demo=false")
	if !strings.Contains(p.stdout, "The clock was moved") || !strings.Contains(p.stdout, "200 days ahead") {
		t.Errorf("the second start prints:\n%s", p.stdout)
	}
	got := p.Must(t, 200, "GET", "/clock", "")
	if now, machine := got["now"].(string), got["machine"].(string); now[:16] < at[:16] || machine >= at {
		t.Errorf("clock %v, moved to %s", got, at)
	}
}

func TestNoDemo(t *testing.T) {
	p := serve(t, "-demo=false", "-data", ":memory:")
	if p.stdout != "" {
		t.Errorf("printed %q", p.stdout)
	}
	if list := p.Must(t, 200, "GET", "/tenants", "")["tenants"].([]any); len(list) != 0 {
		t.Errorf("tenants %v", list)
	}
	entries, err := os.ReadDir(p.cmd.Dir)
	if err != nil || len(entries) != 0 {
		t.Errorf(":memory: left %v, %v", entries, err)
	}
}

func TestDefaultDataFolder(t *testing.T) {
	p := serve(t)
	if _, err := os.Stat(filepath.Join(p.cmd.Dir, ".serverless-scim", "scim.db")); err != nil {
		t.Error(err)
	}
}

func TestBaseURL(t *testing.T) {
	p := serve(t, "-data", ":memory:", "-base-url", "https://scim.example.com/")
	if !strings.Contains(p.stdout, "https://scim.example.com/scim/v2/demo\n") {
		t.Errorf("printed:\n%s", p.stdout)
	}
	made := p.Must(t, 201, "POST", "/tenants", `{"id":"acme","name":"Acme"}`)
	if got := made["scimBaseUrl"]; got != "https://scim.example.com/scim/v2/acme" {
		t.Errorf("scimBaseUrl %v", got)
	}
	c := tenant{url: p.URL, id: "acme", token: made["token"].(object)["value"].(string)}
	got := c.must(t, 201, "POST", "/Users", user("ann"))
	if want := "https://scim.example.com/scim/v2/acme/Users/" +
		got["id"].(string); got["meta"].(object)["location"] != want {
		t.Errorf("location %v, want %s", got["meta"], want)
	}
}

// If other machines can reach the server, it starts only with an admin key.
func TestAdminKey(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		refused(t, "-admin-key", "-addr", addr)
	}
	p := launch(t, "-addr", "0.0.0.0:0", "-admin-key", "open-sesame", "-data", ":memory:")
	if p.URL == "" {
		t.Fatalf("with a key it does not start:\n%s", p.stderr)
	}
	p.URL = strings.NewReplacer("[::]", "127.0.0.1", "0.0.0.0", "127.0.0.1").Replace(p.URL)
	for _, key := range []string{"", "wrong"} {
		p.Key = key
		p.Must(t, 401, "GET", "/tenants", "")
	}
	p.Key = "open-sesame"
	p.Must(t, 200, "GET", "/tenants", "")
	if strings.Contains(p.stderr.String(), p.Key) {
		t.Error("the log holds the key")
	}
}

// Without a key, the server refuses requests from web pages, and requests with another host name that leads to it.
func TestAdminIsForThisMachine(t *testing.T) {
	p := serve(t, "-data", ":memory:")
	for _, c := range []struct {
		what string
		set  func(r *http.Request)
		want int
	}{
		{"a program", func(*http.Request) {}, 200},
		{"a web page", func(r *http.Request) { r.Header.Set("Origin", "https://example.com") }, 403},
		{"a foreign name", func(r *http.Request) { r.Host = "rebound.example.com" }, 403},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", p.URL+"/admin/v1/tenants", nil)
		if err != nil {
			t.Fatal(err)
		}
		c.set(req)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: status %d, want %d", c.what, resp.StatusCode, c.want)
		}
	}
}

// refused launches a server that must not start, and must print the reason in one line with the word.
func refused(t *testing.T, word string, args ...string) {
	t.Helper()
	p := launch(t, args...)
	if p.URL != "" {
		t.Errorf("%q: it listens on %s", args, p.URL)
		return
	}
	text := p.stderr.String()
	if code := p.code(t); code == 0 || !strings.Contains(text, word) || strings.Contains(text, "goroutine") {
		t.Errorf("%q: exit code %d, and no word of %q in:\n%s", args, code, word, text)
	}
}

func TestRefusals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "scim.db"), []byte("no database, but long enough to be looked at"),
		0o600); err != nil {
		t.Fatal(err)
	}
	for word, args := range map[string][]string{
		"-nonsense":            {"-nonsense"},
		"postgres":             {"-engine", "postgres"},
		"-log-level":           {"-log-level", "loud"},
		"no command explode":   {"explode"},
		"unexpected argument":  {"serve", "now"},
		"-yes-aws":             {"-addr", "127.0.0.1:0", "-engine", "dynamodb"},
		"-addr":                {"-addr", "nonsense"},
		"-base-url":            {"-base-url", "scim.example.com"},
		"demo":                 {"-demo=perhaps"},
		"file":                 {"-addr", "127.0.0.1:0", "-data", file},
		"scim.db":              {"-addr", "127.0.0.1:0", "-data", folder},
		"-table":               {"-addr", "127.0.0.1:0", "-engine", "dynamodb", "-table", ""},
		"listen tcp 192.0.2.1": {"-addr", "192.0.2.1:80", "-admin-key", "k", "-data", ":memory:"},
	} {
		t.Run(word, func(t *testing.T) { refused(t, word, args...) })
	}
	used := serve(t, "-data", ":memory:")
	refused(t, "address already in use", "-data", ":memory:", "-addr", strings.TrimPrefix(used.URL, "http://"))
}

// TestExitCodes: 0, 1 if the command failed, 2 if the command line is wrong.
func TestExitCodes(t *testing.T) {
	for want, lines := range map[int][]string{
		0: {"-h", "serve -h", "version", "version -json", "completion fish"},
		1: {"tenants -url http://127.0.0.1:1", "-addr 127.0.0.1:0 -data /dev/null/x"},
		2: {"-nonsense", "tenants -nonsense", "explode", "token", "-addr nonsense", "bench -n 0", "token list"},
	} {
		for _, line := range lines {
			p := launch(t, strings.Fields(line)...)
			code := p.code(t)
			if code != want || (want == 0) != (p.stderr.String() == "") || (want == 0) != (p.stdout != "") {
				t.Errorf("%s: exit code %d, want %d: %s%s", line, code, want, p.stdout, p.stderr)
			}
		}
	}
}

func TestOneProcessAFolder(t *testing.T) {
	data := t.TempDir()
	first := serve(t, "-data", data)
	refused(t, "in use by another process", "-addr", "127.0.0.1:0", "-data", data)
	first.Must(t, 200, "GET", "/tenants/demo", "")
}

// On DynamoDB a missing table is created, and the next process finds the written data.
func TestDynamoDB(t *testing.T) {
	endpoint := dynamolocal.Start(t)
	table := "local-" + uuid.NewString()
	args := []string{"-engine", "dynamodb", "-dynamodb-endpoint", endpoint, "-table", table}
	p := serve(t, args...)
	if demo.FindStringSubmatch(p.stdout) == nil {
		t.Errorf("no demo on a new table:\n%s", p.stdout)
	}
	c := join(t, p, "acme")
	id := c.must(t, 201, "POST", "/Users", user("ann"))["id"].(string)
	p.stop(t)
	if code := p.code(t); code != 0 {
		t.Errorf("exit code %d: %s", code, p.stderr)
	}
	t.Setenv("AWS_ENDPOINT_URL", endpoint)
	p = serve(t, "-engine", "dynamodb", "-table", table)
	c.url = p.URL
	c.must(t, 200, "GET", "/Users/"+id, "")
	if entries, err := os.ReadDir(p.cmd.Dir); err != nil || len(entries) != 0 {
		t.Errorf("it left %v, %v", entries, err)
	}
	for _, d := range dialogues(t, "entra-user-lifecycle-flag", "okta-group-push-oin") {
		t.Run(d.Name, func(t *testing.T) { scimtest.RunDialogue(t, d, p.Target(t, d.IdP)) })
	}
	refused(t, "table", "-addr", "127.0.0.1:0", "-engine", "dynamodb", "-dynamodb-endpoint", "http://127.0.0.1:1",
		"-table", table)
}

func dialogues(t *testing.T, names ...string) []scimtest.Dialogue {
	t.Helper()
	all, err := scimtest.Dialogues()
	if err != nil {
		t.Fatal(err)
	}
	var out []scimtest.Dialogue
	for _, name := range names {
		for _, d := range all {
			if d.Name == name {
				out = append(out, d)
			}
		}
	}
	if len(out) != len(names) {
		t.Fatalf("found %d of the dialogues %v", len(out), names)
	}
	return out
}
