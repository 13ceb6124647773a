package schemas_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/event/schemas"
)

// TestEachTypeHasASchema finds the types of events in the code, as constants, and holds them against the files.
func TestEachTypeHasASchema(t *testing.T) {
	var types []string
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				types = append(types, eventTypes(spec, file.Name.Name)...)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(types)
	if len(types) < 25 {
		t.Errorf("only %d types of events were found in the code", len(types))
	}
	if have := schemas.Types(); !slices.Equal(types, have) {
		t.Errorf("types of events in the code and files differ\ncode  %v\nfiles %v", types, have)
	}
}

// TestEachTypeIsDocumented: a row of a table in the pages for operators and integrators begins with each type.
func TestEachTypeIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, page := range []string{"operations.md", "integrate.md"} {
		text, err := os.ReadFile(filepath.Join("../../../docs", page))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if first, _, row := strings.Cut(strings.TrimPrefix(line, "|"), "|"); row && strings.HasPrefix(line, "|") {
				for _, m := range quoted.FindAllStringSubmatch(first, -1) {
					documented[m[1]] = true
				}
			}
		}
	}
	for _, name := range schemas.Types() {
		if !documented[name] {
			t.Errorf("no table of docs/operations.md or docs/integrate.md has a row of %s", name)
		}
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")

var looksLikeAType = regexp.MustCompile(`^[a-z-]+\.[a-z-]+$`)

// eventTypes are the types among the constants of one line: those of event.Kind, and those that are named event….
func eventTypes(spec *ast.ValueSpec, pkg string) []string {
	kind, _ := spec.Type.(*ast.Ident)
	isKind := pkg == "event" && kind != nil && kind.Name == "Kind"
	var types []string
	for i, v := range spec.Values {
		lit, ok := v.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING ||
			!isKind && !strings.HasPrefix(strings.ToLower(spec.Names[i].Name), "event") {
			continue
		}
		if text, _ := strconv.Unquote(lit.Value); looksLikeAType.MatchString(text) {
			types = append(types, text)
		}
	}
	return types
}

// TestCheckRefuses: an event that has more, less or something else than its schema says is found out.
func TestCheckRefuses(t *testing.T) {
	type object = map[string]any
	event := func(change func(object)) object {
		e := object{
			"id": "acme-k3v9-1", "sequence": 1, "type": "token.revoked", "schemaVersion": 1, "tenant": "acme",
			"subject": "tokens/a", "time": "2027-05-21T09:20:33.123Z", "cause": object{},
			"data": object{"reason": "revoked"},
		}
		change(e)
		return e
	}
	if err := schemas.Check(event(func(object) {})); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(object){
		"a type of ours that is not known": func(e object) { e["type"] = "token.lost" },
		"another member":                   func(e object) { e["value"] = "x" },
		"another member of data":           func(e object) { e["data"] = object{"reason": "revoked", "x": 1} },
		"no data":                          func(e object) { delete(e, "data") },
		"no time":                          func(e object) { delete(e, "time") },
		"a time that is none":              func(e object) { e["time"] = "yesterday" },
		"another reason":                   func(e object) { e["data"] = object{"reason": "x"} },
		"another subject":                  func(e object) { e["subject"] = "clients/a" },
		"a type of a policy about a token": func(e object) { e["type"] = "credentials.required" },
	} {
		if err := schemas.Check(event(change)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
