package doctor_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore/scan"
)

// answers are what a server answered for the table of a fixture when it was made.
type answers struct {
	At    time.Time
	Token string
	SCIM  map[string]any // by path
	Admin map[string]any
}

func (a answers) now() time.Time { return a.At }

// inSCIM and inAdmin are the requests whose answers a later version must give, with more fields at most.
var (
	inSCIM = []string{
		"/Users?count=200&sortBy=id", "/Groups?count=100&sortBy=id", "/Devices?count=100", "/Schemas", "/ResourceTypes",
		"/GroupMemberships?count=1000",
	}
	inAdmin = []string{
		"", "/tokens", "/clients", "/domains", "/setup-links", "/webhooks", "/policy", "/guard", "/targets", "/schemas",
		"/resource-types", "/log?count=1000", "/members?count=200",
	}
	// inPart have more events after the open work is done, or depend on what a later version knows.
	inPart = []string{
		"/events?count=1000", "/activity", "/diagnosis", "/notices", "/members/duplicates", "/policy/status",
		"/pending", "/stale-attributes",
	}
)

// TestLayoutsOnDynamoDB is TestLayouts on a DynamoDB table.
func TestLayoutsOnDynamoDB(t *testing.T) {
	slow.Test(t, "DynamoDB Local takes some seconds")
	files, err := filepath.Glob("testdata/*.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d fixtures: %v", len(files), err)
	}
	client := dynamolocal.Client(t)
	for _, file := range files {
		then := readAnswers(t, strings.TrimSuffix(filepath.Base(file), ".db.gz"))
		engine := scan.New(client, dynamolocal.Table(t, client))
		filled.Load(t, engine, filled.Items(t, unpack(t, file, then.now)))
		readTable(t, engine, then)
	}
}

// readTable examines a table, reads everything in it, changes everything, and examines it again.
func readTable(t *testing.T, engine store.Engine, then answers) {
	t.Helper()
	sound := func(when string) {
		t.Helper()
		d := doctor.New(store.New(engine, store.Options{}), doctor.Options{
			Now: then.now, Finding: func(f doctor.Finding) { t.Errorf("%s: %+v", when, f) },
		})
		if err := d.All(t.Context(), engine); err != nil || d.Sum().Items < 300 {
			t.Errorf("%s: %+v, %v", when, d.Sum(), err)
		}
	}
	sound("as it was")
	w := filled.OpenAt(t, engine, "acme", then.Token, then.now)
	w.Settle()
	sound("with its open work done")
	now := ask(w)
	for path, want := range then.SCIM {
		if !subset(want, now.SCIM[path]) {
			t.Errorf("%s: %v\nwant %v", path, now.SCIM[path], want)
		}
	}
	for path, want := range then.Admin {
		if !subset(want, now.Admin[path]) {
			t.Errorf("admin %s: %v\nwant %v", path, now.Admin[path], want)
		}
	}
	change(w, now)
	w.Settle()
	sound("changed")
}

// ask gets all answers. The test ends if there is an error.
func ask(w *filled.World) answers {
	for _, path := range inPart {
		w.Admin(200, "GET", path, "")
	}
	a := answers{Token: w.Token, SCIM: map[string]any{}, Admin: map[string]any{}}
	for _, path := range inSCIM {
		a.SCIM[path] = w.SCIM(200, "GET", path, "")["Resources"]
	}
	for _, path := range inAdmin {
		a.Admin[path] = w.Admin(200, "GET", path, "")
	}
	for _, hook := range a.Admin["/webhooks"].(filled.Object)["webhooks"].([]any) {
		delete(hook.(filled.Object), "delivery") // it goes on meanwhile
	}
	return a
}

// change changes each resource, and most of the rest.
func change(w *filled.World, now answers) {
	const patch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
		{"op":"add","path":"externalId","value":"now-%d"}]}`
	n := 0
	for _, path := range inSCIM[:3] {
		for _, resource := range now.SCIM[path].([]any) {
			kind, _, _ := strings.Cut(path, "?")
			w.SCIM(200, "PATCH", kind+"/"+resource.(filled.Object)["id"].(string), fmt.Sprintf(patch, n))
			n++
		}
	}
	id := w.User("newcomer", `,"userType":"Chief"`)
	w.Group("newcomers", id)
	w.Admin(200, "POST", "/rotation", `{"action":"cancel"}`)
	for _, client := range now.Admin["/clients"].(filled.Object)["clients"].([]any) {
		w.Admin(200, "DELETE", "/clients/"+client.(filled.Object)["id"].(string), "")
	}
	for path, body := range map[string]string{"/tokens": `{}`, "/clients": `{}`, "/setup-links": `{"role":"reader"}`} {
		w.Admin(201, "POST", path, body)
	}
	w.Admin(200, "PATCH", "", `{"settings":{"notices":null,"log":null}}`)
	w.Admin(200, "POST", "/guard", `{"decision":"allow"}`)
	w.Admin(200, "PUT", "/policy", `{}`)
	w.Settle()
	if got := w.Admin(200, "GET", "/members/"+id, "")["status"]; got != "active" {
		w.T.Errorf("the newcomer is %v", got)
	}
	for _, resource := range now.SCIM[inSCIM[0]].([]any)[:3] {
		w.SCIM(204, "DELETE", "/Users/"+resource.(filled.Object)["id"].(string), "")
	}
}

func readAnswers(t *testing.T, name string) (a answers) {
	t.Helper()
	if err := json.Unmarshal(inflate(t, "testdata/"+name+".json.gz"), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// unpack opens a copy of a packed data file.
func unpack(t *testing.T, file string, now func() time.Time) *boltstore.Engine {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scim.db")
	if err := os.WriteFile(path, inflate(t, file), 0o600); err != nil {
		t.Fatal(err)
	}
	return opened(t, path, now)
}

func inflate(t *testing.T, file string) []byte {
	t.Helper()
	packed, err := os.Open(file)
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
	return text
}

func deflate(t *testing.T, file string, text []byte) {
	t.Helper()
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func opened(t *testing.T, path string, now func() time.Time) *boltstore.Engine {
	t.Helper()
	engine, err := boltstore.Open(path, boltstore.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

// writeFixture fills a table, and writes it with its layout and the answers about it.
func writeFixture(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scim.db")
	start := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	engine := opened(t, path, func() time.Time { return start })
	e := fillAll(t, engine)
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	deflate(t, "testdata/"+name+".db.gz", text)
	w := filled.OpenAt(t, opened(t, path, e.clock), "acme", e.Token, e.clock)
	w.Settle()
	then := ask(w)
	then.At = e.now
	if text, err = json.Marshal(then); err != nil {
		t.Fatal(err)
	}
	deflate(t, "testdata/"+name+".json.gz", text)
	if err := os.WriteFile("testdata/"+name+".txt", []byte(e.engine.layout.lines()), 0o600); err != nil {
		t.Fatal(err)
	}
}
