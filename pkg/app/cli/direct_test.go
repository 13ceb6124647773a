package cli_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

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

// TestDoctor checks a file: what is printed, and the exit code.
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
	for _, want := range []string{"found  name", "T#demo#N", "1 findings, of which 1 are left"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q lacks %q", out, want)
		}
	}
	if !strings.Contains(errOut, "not sound") {
		t.Errorf("told: %q", errOut)
	}
	out, _ = check(cli.Failed, "-json")
	var last struct {
		Sum struct{ Findings, Left int }
	}
	for line := range strings.Lines(out) {
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	if last.Sum.Findings != 1 || last.Sum.Left != 1 {
		t.Errorf("%+v", last)
	}
	check(cli.OK, "-tenant", demo.ID, "-repair")
	check(cli.OK)
	check(cli.CannotRun, "-engine", "dynamodb")
	if code, out, _ := run(t, "doctor", "-data", t.TempDir()); code != cli.CannotRun || out != "" {
		t.Errorf("without a file: %d %q", code, out)
	}
}

var demo = tenant.NewTenant{ID: "demo", Name: "Demo", IdP: "generic"}
