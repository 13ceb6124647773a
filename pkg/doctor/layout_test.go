package doctor_test

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

var fixture = flag.String("fixture", "", "write testdata/NAME.db.gz and NAME.json as this version writes a file")

// written is the content that a fixture is compared with.
type written struct {
	At      time.Time
	Token   string
	Answers map[string]any // by path
}

// paths are the requests whose answers a later version must give.
var paths = []string{"/Users?count=100&sortBy=id", "/Groups?count=100&sortBy=id", "/Devices?count=100"}

// TestLayouts reads the data file of each released layout: the doctor finds no error, requests give the same answers
// as then, and writes go on. Before a release: go test ./pkg/doctor -run Layouts -fixture NAME.
func TestLayouts(t *testing.T) {
	if *fixture != "" {
		writeFixture(t, *fixture)
	}
	files, err := filepath.Glob("testdata/*.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d fixtures: %v", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) { readFixture(t, name) })
	}
}

func readFixture(t *testing.T, name string) {
	var want written
	text, err := os.ReadFile(strings.TrimSuffix(name, ".db.gz") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return want.At }
	engine := unpack(t, name, now)
	d := doctor.New(store.New(engine, store.Options{}), doctor.Options{Now: now, Finding: func(f doctor.Finding) {
		t.Errorf("%+v", f)
	}})
	if err := d.All(t.Context(), engine); err != nil {
		t.Fatal(err)
	}
	if d.Sum().Items < 100 {
		t.Errorf("%+v", d.Sum())
	}
	w := filled.OpenAt(t, engine, "acme", want.Token, now)
	w.Settle()
	for _, path := range paths {
		if got := w.SCIM(200, "GET", path, "")["Resources"]; fmt.Sprint(got) != fmt.Sprint(want.Answers[path]) {
			t.Errorf("%s: %v\nwant %v", path, got, want.Answers[path])
		}
	}
	id := w.User("newcomer", "")
	w.Group("newcomers", id)
	if got := w.Admin(200, "GET", "/members/"+id, "")["status"]; got != "active" {
		t.Errorf("the newcomer is %v", got)
	}
}

func unpack(t *testing.T, name string, now func() time.Time) *boltstore.Engine {
	t.Helper()
	packed, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packed.Close() }()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "scim.db")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	engine, err := boltstore.Open(path, boltstore.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

func writeFixture(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scim.db")
	engine, err := boltstore.Open(path, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := filled.New(t, engine, "acme")
	w.Fill()
	out := written{At: time.Now().UTC(), Token: w.Token, Answers: map[string]any{}}
	for _, path := range paths {
		out.Answers[path] = w.SCIM(200, "GET", path, "")["Resources"]
	}
	w.Settle()
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join("testdata", name+".db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	packed, _ := gzip.NewWriterLevel(file, gzip.BestCompression)
	if _, err := packed.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	answers, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", name+".json"), append(answers, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}
