package cli_test

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli"
	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// folder is a data folder with the tenant demo, which no server has open.
func folder(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	s, err := local.Open(t.Context(), local.Options{Engine: "bolt", Data: data, Log: io.Discard, Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Tenants().Create(t.Context(), demo); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

// breakFile puts an item into the local file that belongs to nobody.
func breakFile(t *testing.T, data string) {
	t.Helper()
	e, err := boltstore.Open(data+"/scim.db", boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	op := store.PutItem(store.KeysOf(demo.ID).UserName("nobody"), store.Attrs{"id": "nobody"})
	if err := store.New(e, store.Options{}).Write(t.Context(), op); err != nil {
		t.Fatal(err)
	}
}

// TestDoctor checks the output and the exit code of a check of a file.
func TestDoctor(t *testing.T) {
	data := folder(t)
	check := func(want int, args ...string) (out, errOut string) {
		t.Helper()
		code, out, errOut := run(t, append([]string{"doctor", "-data", data}, args...)...)
		if code != want {
			t.Errorf("%v: exit code %d, want %d: %s%s", args, code, want, out, errOut)
		}
		return out, errOut
	}
	check(cli.OK)
	breakFile(t, data)
	out, errOut := check(cli.Failed)
	for _, want := range []string{"found  name", "T#demo#N", "findings: 1, left: 1"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q lacks %q", out, want)
		}
	}
	if !strings.Contains(errOut, "found faults") {
		t.Errorf("told: %q", errOut)
	}
	out, _ = check(cli.Failed, "-json")
	var doc struct {
		Results []struct{ Finding *struct{ Check string } }
		Sum     struct{ Findings, Left int }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Errorf("%q: %v", out, err)
	}
	if doc.Sum.Findings != 1 || doc.Sum.Left != 1 || len(doc.Results) != 1 || doc.Results[0].Finding.Check != "name" {
		t.Errorf("%+v", doc)
	}
	check(cli.OK, "-tenant", demo.ID, "-repair")
	check(cli.OK)
	if out, _ := check(cli.OK, "-json"); !strings.HasPrefix(out, `{"results":[],"sum":{`) || !json.Valid([]byte(out)) {
		t.Errorf("of a sound table: %q", out)
	}
	check(cli.CannotRun, "-engine", "dynamodb")
	code, out, errOut := run(t, "doctor", "-data", t.TempDir())
	if code != cli.CannotRun || out != "" || !strings.Contains(errOut, "there is no file") {
		t.Errorf("without a file: %d %q %q", code, out, errOut)
	}
}

var demo = tenant.NewTenant{ID: "demo", Name: "Demo", IdP: "generic"}

// TestTenantMoves exports a tenant from one file and imports it into another, with its secrets and under another id.
func TestTenantMoves(t *testing.T) {
	from, to, file := folder(t), folder(t), filepath.Join(t.TempDir(), "demo.jsonl")
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "key.txt")
	if err := os.WriteFile(key, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	must := func(want int, args ...string) string {
		t.Helper()
		code, out, errOut := run(t, args...)
		if code != want {
			t.Fatalf("%v: exit code %d, want %d: %s%s", args, code, want, out, errOut)
		}
		return errOut
	}
	must(cli.OK, "tenants", "export", "demo", "-out", file, "-data", from, "-secrets-to", identity.Recipient().String())
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if got := must(cli.Failed, "tenants", "import", file, "-data", to); !strings.Contains(got, "under another id") {
		t.Errorf("over a tenant: %q", got)
	}
	got := must(cli.OK, "tenants", "import", file, "-id", "copy", "-data", to, "-identity", key)
	if !strings.Contains(got, "Tenant copy") || !strings.Contains(got, "switched off") {
		t.Errorf("told: %q", got)
	}
	must(cli.OK, "doctor", "-data", to)
	for _, args := range [][]string{
		{"export", "demo", "-out", file + "2", "-data", from}, {"import", file + "2", "-id", "third", "-data", to},
	} {
		code, out, errOut := run(t, append([]string{"tenants", "-json"}, args...)...)
		var doc struct {
			Tenant string
			Items  int
		}
		err := json.Unmarshal([]byte(out), &doc)
		if code != cli.OK || err != nil || doc.Items == 0 || !slices.Contains([]string{"demo", "third"}, doc.Tenant) {
			t.Errorf("%v: %d %v %q %q", args, code, err, out, errOut)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text[:len(text)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	got = must(cli.Failed, "tenants", "import", file, "-id", "more", "-data", to)
	if !strings.Contains(got, "cut off") {
		t.Errorf("told: %q", got)
	}
	must(cli.Failed, "tenants", "export", "nobody", "-out", file, "-data", from)
	must(cli.Failed, "tenants", "export", "demo", "-out", file, "-data", from, "-secrets-to", "me")
	if left, _ := filepath.Glob(file + ".*"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestWhoUsedATable: each command that works on a table itself, and changes it or reads all of a tenant, is in the
// operator's log and in the tenant's, with the user and its result.
func TestWhoUsedATable(t *testing.T) {
	data, file := folder(t), filepath.Join(t.TempDir(), "demo.jsonl")
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"tenants", "export", "demo", "-out", file, "-secrets-to", identity.Recipient().String()},
		{"tenants", "import", file, "-id", "copy"},
		{"tenants", "import", file, "-id", "copy"}, // it is there already
		{"doctor", "-tenant", "demo", "-repair"},
		{"doctor"}, // only reads
	} {
		_, out, errOut := run(t, append(args, "-data", data)...)
		t.Logf("%v: %s%s", args, out, errOut)
	}
	s, err := local.Open(t.Context(), local.Options{Engine: "bolt", Data: data, Log: io.Discard, Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	export, repair := "tenants export -secrets-to demo", "doctor -repair demo"
	for path, want := range map[string][]string{
		"/log": {
			"done " + repair, "failed tenants import copy", "done tenants import copy", "done " + export,
		},
		"/tenants/demo/log": {"done " + repair, "done " + export},
		"/tenants/copy/log": {"failed tenants import copy", "done tenants import copy", "started " + export},
	} {
		r := httptest.NewRequest("GET", "http://localhost/admin/v1"+path, nil)
		r.RemoteAddr = "127.0.0.1:5000"
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		var page struct {
			Entries []struct{ RequestID, Caller, Method, Path, ResourceID, Outcome string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Entries {
			got = append(got, e.Outcome+" "+e.Path+" "+e.ResourceID)
			if e.Caller != local.Caller(t.Context(), local.Options{Engine: "bolt"}) || e.Method != "command" ||
				e.RequestID == "" {
				t.Errorf("%s: %+v", path, e)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		if body := w.Body.String(); strings.Contains(body, "age1") || strings.Contains(body, file) {
			t.Errorf("%s: %s", path, body)
		}
	}
}
