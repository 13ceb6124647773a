// Package schemas has the JSON Schema (draft 2020-12) of each type of event, one file a type: TYPE.json. The types
// that a policy names under announceFirst share announced.json. envelope.json, member.json, assignment.json and
// target.json are parts of the others. The schemas describe exactly the events that this version of the program
// sends: a later version may add members, which receivers must accept.
//
// Check checks events against them. This package is for tests; no program links it.
package schemas

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed *.json
var files embed.FS

// Files that are no type of event of their own.
const (
	announced = "announced"
	base      = "file:///schemas/"
)

var parts = []string{announced, "assignment", "envelope", "member", "target"}

// Types lists the types of events that have a schema of their own, in order.
func Types() []string {
	entries, _ := files.ReadDir(".") // an embedded folder can always be read
	var types []string
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), ".json"); !slices.Contains(parts, name) {
			types = append(types, name)
		}
	}
	slices.Sort(types)
	return types
}

// compile compiles all schemas, by type.
var compile = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	for _, name := range slices.Concat(Types(), parts) {
		text, err := files.ReadFile(name + ".json")
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("schemas: %s: %w", name, err)
		}
		if err := c.AddResource(base+name+".json", doc); err != nil {
			return nil, err
		}
	}
	all := map[string]*jsonschema.Schema{}
	for _, name := range append(Types(), announced) {
		s, err := c.Compile(base + name + ".json")
		if err != nil {
			return nil, err
		}
		all[name] = s
	}
	return all, nil
})

// CheckAll holds the events of an answer to GET …/events against the schemas of their types.
func CheckAll(answer map[string]any) error {
	events, _ := answer["events"].([]any)
	for _, e := range events {
		if err := Check(e); err != nil {
			return err
		}
	}
	return nil
}

// Check validates an event, a JSON object, by the schema of its type. A type without a schema comes from a policy,
// unless its first word is one of the program's own.
func Check(event any) error {
	text, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("schemas: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("schemas: %w", err)
	}
	all, err := compile()
	if err != nil {
		return err
	}
	o, _ := doc.(map[string]any)
	kind, _ := o["type"].(string)
	s := all[kind]
	if s == nil {
		first, _, _ := strings.Cut(kind, ".")
		own := slices.ContainsFunc(Types(), func(t string) bool { return strings.HasPrefix(t, first+".") })
		if own || kind == announced {
			return fmt.Errorf("schemas: the type %q has no schema", kind)
		}
		s = all[announced]
	}
	if err := s.Validate(doc); err != nil {
		return fmt.Errorf("schemas: %s: %w", text, err)
	}
	return nil
}
