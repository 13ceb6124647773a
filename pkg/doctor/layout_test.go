package doctor_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

var fixture = flag.String("fixture", "", "write testdata/NAME.db.gz, .json and .txt as this version writes a table")

// newest is the fixture of the layout that this version writes.
const newest = "layout-1"

// changed is the advice to who has changed the layout.
const changed = `The layout of stored items is not that of testdata/%s.txt (- there, + now):
%s
CONTRIBUTING.md, "A new layout of stored items", says what to do.
`

// TestLayouts reads the table of each released layout, on a data file: the doctor finds no fault, requests give the
// answers that they gave then, and everything can be changed.
func TestLayouts(t *testing.T) {
	if *fixture != "" {
		writeFixture(t, *fixture)
	}
	files, err := filepath.Glob("testdata/*.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d fixtures: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".db.gz")
		t.Run(name, func(t *testing.T) {
			then := readAnswers(t, name)
			readTable(t, unpack(t, file, then.now), then)
		})
	}
}

// TestLayoutIsThatOfTheFixture fills a table, and compares the layout of all that is written with that of the newest
// fixture.
func TestLayoutIsThatOfTheFixture(t *testing.T) {
	now := fillAll(t, filled.Memory(t)).engine.layout
	then, err := os.ReadFile("testdata/" + newest + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	var difference []string
	old := map[string]bool{}
	for line := range strings.Lines(string(then)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			if old[line] = true; !now[line] {
				difference = append(difference, "- "+line)
			}
		}
	}
	for line := range now {
		if !old[line] {
			difference = append(difference, "+ "+line)
		}
	}
	if len(difference) > 0 {
		slices.SortFunc(difference, func(a, b string) int { return strings.Compare(a[2:], b[2:]) })
		t.Errorf(changed, newest, strings.Join(difference, "\n"))
	}
}

// TestFixtureHasEveryKind holds the newest fixture against the table of keys.go.
func TestFixtureHasEveryKind(t *testing.T) {
	text, err := os.ReadFile("testdata/" + newest + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kindsOfKeys(t) {
		if rare[kind] == "" && !bytes.Contains(text, []byte("\n"+kind)) {
			t.Errorf("nothing has written %s: extend fillAll in everything_test.go, and write the fixture again", kind)
		}
	}
}

// TestOldLayoutsAreNamed: items of an earlier layout are no fault. The doctor names their number.
func TestOldLayoutsAreNamed(t *testing.T) {
	engine := filled.Memory(t)
	filled.New(t, engine, "acme").Fill()
	items, n := filled.Items(t, engine), 0
	for _, item := range items {
		if pk := item.PK; pk == store.KeysOf("acme").Tenant().PK || pk == store.KeysOf("acme").User("").PK {
			item.Attrs[store.AttrSchema] = store.SchemaVersion - 1
			n++
		}
	}
	early := filled.Memory(t)
	filled.Load(t, early, items)
	var notes []string
	d := doctor.New(store.New(early, store.Options{}), doctor.Options{
		Finding: func(f doctor.Finding) { t.Errorf("%+v", f) },
		Note:    func(n doctor.Note) { notes = append(notes, n.Text) },
	})
	if err := d.All(t.Context(), early); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%d items of an earlier layout: each gets the present one with its next change.", n)
	if !slices.Equal(notes, []string{want}) {
		t.Errorf("%q, want %q", notes, want)
	}
}

// layout is the set of the places of values: the kind of an item, its attribute, the path in the attribute's JSON, and
// the type of the value there.
type layout map[string]bool

// note adds an item.
func (l layout) note(key store.Key, attrs store.Attrs) {
	kind := kindOf(key)
	for name, value := range attrs {
		place := kind + "  " + name
		switch v := value.(type) {
		case string:
			var inside any
			if (strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[")) && json.Unmarshal([]byte(v), &inside) == nil {
				l.json(place+" ", inside)
			} else {
				l[place+": text"] = true
			}
		case int64:
			l[place+": number"] = true
		case []byte:
			l[place+": bytes"] = true
		}
	}
}

// data is a name in JSON that is no field: an id, a day, a digest.
var data = regexp.MustCompile(`^[^:]*[0-9][^:]*$`)

// json adds a value in JSON.
func (l layout) json(place string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, inside := range v {
			if data.MatchString(name) && !strings.HasPrefix(name, "x509") {
				name = "*"
			}
			l.json(place+"."+name, inside)
		}
	case []any:
		for _, inside := range v {
			l.json(place+"[]", inside)
		}
	case string:
		l[place+": text"] = true
	case float64:
		l[place+": number"] = true
	case bool:
		l[place+": boolean"] = true
	case nil:
		l[place+": null"] = true
	}
}

// lead are the partitions in which the first part of a sort key names a kind, by the end of their names.
var lead = []string{"", "#X", "#UQ", "#C", "#MK", "#AX", "#SL", "#GU", "#LM", "#PA"}

// word is a part of a sort key that is the same in all tables.
var word = regexp.MustCompile(`^[A-Za-z]+(\.[A-Za-z]+)?$`)

// kindOf is a key with * in place of data.
func kindOf(key store.Key) string {
	pk, parts := key.PK, store.Split(key.SK)
	end, keep := "", -1
	if tenant, ok := store.TenantOf(key); ok && pk != store.TenantsPK {
		end = strings.TrimPrefix(pk, "T#"+tenant)
		if slices.Contains(lead, end) {
			keep = 0
		} else if end == "#Q" {
			keep = 1
		}
		if i := strings.LastIndex(end, "#"); i > 0 {
			end = end[:i] + "#*"
		}
		pk = "T#t" + end
	} else if pk == store.Again.PK || pk == store.OperatorWebhooksPK && parts[0] == "KEY" {
		keep = 0
	} else if strings.HasPrefix(pk, "DUE#") {
		pk = "DUE#*"
	}
	for i, part := range parts {
		if i != keep || !word.MatchString(part) {
			parts[i] = "*"
		}
	}
	return pk + " " + strings.Join(parts, "|")
}

// rare are the kinds that no endpoint leaves in a small table.
var rare = map[string]string{
	"T#t#PA E": "the place at which the erasing of a long log goes on, after some seconds",
}

// kind is a first part of a sort key in the table of keys.go that is no description.
var kind = regexp.MustCompile(`^([A-Z]+|e|account|accountFor|left)$`)

// kindsOfKeys are the beginnings of what kindOf returns for the kinds in the table of keys.go.
func kindsOfKeys(t *testing.T) []string {
	t.Helper()
	kinds := []string{"T#t#PL ", "OPERATORLOG ", "T#t#PA D", "T#t#PA E"} // of the second table
	star := strings.NewReplacer("#type", "#*", "#n", "#*", "#shard", "#*")
	for _, row := range tableOfKeys(t) {
		sk, _, _ := strings.Cut(row[1], " ")
		if sk, _, _ = strings.Cut(sk, "|"); !kind.MatchString(sk) {
			sk = ""
		}
		kinds = append(kinds, star.Replace(row[0])+" "+sk)
	}
	return kinds
}

// subset reports whether a value has all that another one has; lists are as long.
func subset(part, whole any) bool {
	switch p := part.(type) {
	case map[string]any:
		w, ok := whole.(map[string]any)
		for name, value := range p {
			ok = ok && subset(value, w[name])
		}
		return ok
	case []any:
		w, ok := whole.([]any)
		ok = ok && len(p) == len(w)
		for i := range p {
			ok = ok && subset(p[i], w[i])
		}
		return ok
	}
	return reflect.DeepEqual(part, whole)
}

// lines are the places in order, each on a line.
func (l layout) lines() string {
	return "\n" + strings.Join(slices.Sorted(maps.Keys(l)), "\n") + "\n"
}
