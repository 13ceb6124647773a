package local_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

// inFolder creates a server on a data folder.
func inFolder(t *testing.T, dir string, out io.Writer) *local.Server {
	t.Helper()
	s, err := local.Open(t.Context(),
		local.Options{Engine: "bolt", Data: dir, BaseURL: "http://localhost", Log: io.Discard, Out: out})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// written waits until events.jsonl holds a text, and returns the file.
func written(t *testing.T, s *local.Server, dir, want string) string {
	t.Helper()
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	const most = 2 * time.Minute
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(most); ; {
		raw, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
		if err == nil && strings.Contains(string(raw), want) {
			return string(raw)
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("events.jsonl lacks %s: %s, %v", want, raw, err)
		}
	}
}

// eventTypes reads events.jsonl, each line of which must be an event.
func eventTypes(t *testing.T, dir string) (types []string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 0 && raw[len(raw)-1] != '\n' {
		t.Errorf("the last line has no end: %s", raw)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		var e struct{ ID, Type, Tenant, Time string }
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID == "" || e.Tenant != "acme" || e.Time == "" {
			t.Errorf("line %s: %v", line, err)
		}
		if !seen[e.ID] { // an event may come twice, under the same id
			types = append(types, e.Type)
		}
		seen[e.ID] = true
	}
	return types
}

const withAda = `{"id":"acme","name":"Acme Ltd","idp":"okta",` +
	`"settings":{"notices":{"recipients":[{"email":"ada@acme.example","language":"de"}]}}}`

func TestNoticesAndEventsAreFilesOfTheDataFolder(t *testing.T) {
	dir, out := t.TempDir(), &bytes.Buffer{}
	s := inFolder(t, dir, out)
	o := operator{t, s}
	o.must(201, "POST", "/tenants", withAda)
	o.must(202, "POST", "/tenants/acme/notices", `{"kind":"test"}`)
	if err := s.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	written(t, s, dir, "token.created")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(eventTypes(t, dir), " "); got != "token.created" {
		t.Errorf("events %s", got)
	}
	mails, err := filepath.Glob(filepath.Join(dir, "notices", "acme-test-de-*.eml"))
	if err != nil || len(mails) != 1 {
		t.Fatalf("mails %v, %v", mails, err)
	}
	raw, err := os.ReadFile(mails[0])
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil || m.Header.Get("To") != "<ada@acme.example>" || m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("%v: %v", m, err)
	}
	text := out.String()
	if !strings.Contains(text, "notice test for tenant acme, recipients: 1, mail: "+mails[0]+"\n") {
		t.Errorf("printed %q", text)
	}
}

func TestAnEventThatWasTornComesWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "events.jsonl")
	for _, torn := range []string{
		"", `{"id":"torn`,
		`{"id":"1","tenant":"acme","time":"x","type":"kept"}` + "\n" + `{"id":"` + strings.Repeat("x", 9000),
	} {
		if err := os.WriteFile(path, []byte(torn), 0o600); err != nil {
			t.Fatal(err)
		}
		s := inFolder(t, dir, io.Discard)
		o := operator{t, s}
		o.do("POST", "/tenants", withAda) // the second and third time it is there
		id := o.must(201, "POST", "/tenants/acme/tokens", `{}`)["id"].(string)
		o.must(204, "DELETE", "/tenants/acme/tokens/"+id, "")
		if text := written(t, s, dir, `"subject":"tokens/`+id+`","tenant":"acme","time":"`); !strings.Contains(
			text, `"reason":"revoked"`) {
			written(t, s, dir, "token.revoked")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(eventTypes(t, dir), " ")
		if !strings.HasSuffix(got, "token.created token.revoked") ||
			strings.Contains(torn, "kept") != strings.HasPrefix(got, "kept") {
			t.Errorf("after %.40q: %s", torn, got)
		}
	}
}

func TestEventsWaitForADiskThatIsThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "events.jsonl")
	if err := os.Mkdir(path, 0o700); err != nil { // no file can be opened there
		t.Fatal(err)
	}
	s := inFolder(t, dir, io.Discard)
	o := operator{t, s}
	o.must(201, "POST", "/tenants", withAda)
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	o.to(time.Now().Add(time.Hour)) // later than any earlier attempt
	written(t, s, dir, "token.created")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(eventTypes(t, dir), " "); got != "token.created" {
		t.Errorf("events %s", got)
	}
}

// A notice names whom its readers ask; the operator, whom they ask, is told the command.
func TestNoticesSayWhomToAskAndTheOperatorHow(t *testing.T) {
	for _, tc := range []struct{ vault, contact, mail, printed string }{
		{
			"secret", "help@example.com", "help@example.com",
			"  the new token: go run ./functions/local token -url http://localhost reveal acme ",
		},
		{
			"secret", "", "den Betreiber von localhost",
			"  the new token: go run ./functions/local token -url http://localhost reveal acme ",
		},
		{
			"none", "", "den Betreiber von localhost",
			"  the new token: go run ./functions/local token -url http://localhost issue acme\n",
		},
	} {
		dir, out, machine := t.TempDir(), &bytes.Buffer{}, someDay
		s, err := local.Open(t.Context(), local.Options{
			Engine: "bolt", Data: dir, BaseURL: "http://localhost", Log: io.Discard, Out: out,
			NoticeContact: tc.contact, Now: func() time.Time { return machine },
		})
		if err != nil {
			t.Fatal(err)
		}
		o := operator{t, s}
		o.must(201, "POST", "/tenants",
			strings.Replace(withAda, `"settings":{`, `"settings":{"token":{"vault":"`+tc.vault+`"},`, 1))
		o.to(someDay.AddDate(0, 0, 153))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		mails, err := filepath.Glob(filepath.Join(dir, "notices", "acme-successor-ready-de-*.eml"))
		if err != nil || len(mails) != 1 {
			t.Fatalf("mails %v, %v", mails, err)
		}
		raw, err := os.ReadFile(mails[0])
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(raw)))
		if flat := strings.Join(strings.Fields(string(text)), " "); err != nil || !strings.Contains(flat, tc.mail) ||
			strings.Contains(flat, "/admin/v1") {
			t.Errorf("%s, %s: %q is missing, or the admin API is named, %v:\n%s", tc.vault, tc.contact,
				tc.mail, err, text)
		}
		if !strings.Contains(out.String(), tc.printed) {
			t.Errorf("%s: printed %q", tc.vault, out)
		}
	}
}
