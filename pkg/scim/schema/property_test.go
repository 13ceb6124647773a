package schema_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
)

var (
	flags = rapid.Bool()
	// attributeTypes leaves out complex, which has its own draw.
	attributeTypes = rapid.SampledFrom([]string{
		"string", "boolean", "decimal", "integer", "dateTime", "reference",
		"binary",
	})
)

// attributeObject draws the definition of an attribute.
func attributeObject(t *rapid.T, name string, deep bool) any {
	o := scim.Object{
		"name": name, "type": attributeTypes.Draw(t, "type"), "multiValued": flags.Draw(t, "multi"),
		"required":  flags.Draw(t, "required"),
		"caseExact": flags.Draw(t, "case"),
		"mutability": rapid.SampledFrom([]string{
			"readWrite", "immutable", "writeOnly", "readOnly",
		}).Draw(t, "mutability"),
	}
	if o["mutability"] != "writeOnly" {
		o["returned"] = rapid.SampledFrom([]string{"always", "never", "default", "request"}).Draw(t, "returned")
	}
	// A client must not find a value that it is never shown by trying.
	if hidden(o) && o["multiValued"] == true {
		o["required"] = false
	}
	switch {
	case deep && rapid.IntRange(0, 3).Draw(t, "complex") == 0:
		o["type"] = "complex"
		subs := attributeList(t, []string{"value", "type", "primary", "extra"}, false)
		if o["subAttributes"] = subs; hidden(o) {
			for _, sub := range subs {
				delete(sub.(scim.Object), "uniqueness")
			}
		}
	case o["type"] == "string" && flags.Draw(t, "closed"):
		o["canonicalValues"] = []any{"red", "Green"}
	case o["type"] != "boolean" && !hidden(o) && flags.Draw(t, "unique"):
		o["uniqueness"] = "server"
	}
	return o
}

// hidden reports whether an attribute is never returned.
func hidden(attribute scim.Object) bool {
	return attribute["mutability"] == "writeOnly" || attribute["returned"] == "never"
}

func attributeList(t *rapid.T, names []string, deep bool) []any {
	var list []any
	for _, name := range names[:rapid.IntRange(1, len(names)).Draw(t, "attributes")] {
		list = append(list, attributeObject(t, name, deep))
	}
	return list
}

// scalars draws a value of an attribute that is not complex.
func scalars(t *rapid.T, a *schema.Attribute) any {
	switch a.Type {
	case schema.Boolean:
		return flags.Draw(t, "value")
	case schema.Integer:
		return rapid.Int64().Draw(t, "value")
	case schema.Decimal:
		return rapid.Float64Range(-1e9, 1e9).Draw(t, "value")
	case schema.DateTime:
		return fmt.Sprintf("2026-11-%02dT08:00:00Z", rapid.IntRange(1, 30).Draw(t, "day"))
	case schema.Binary:
		return rapid.SampledFrom([]string{"TQ==", "TWE=", "TWFu"}).Draw(t, "value")
	}
	if a.Closed {
		return rapid.SampledFrom(a.CanonicalValues).Draw(t, "value")
	}
	return rapid.StringMatching(`[a-zA-Z0-9äß€ -]{1,12}x`).Draw(t, "value")
}

// document draws values for attributes: all that are required, some of the others, none that are read-only.
func document(t *rapid.T, attributes []*schema.Attribute, o scim.Object) {
	for _, a := range attributes {
		if a.Mutability == schema.ReadOnly || !a.Required && flags.Draw(t, "leave out") {
			continue
		}
		n := 1
		if a.MultiValued {
			n = rapid.IntRange(1, 3).Draw(t, "values")
		}
		var list []any
		for range n {
			var v any
			if a.Type == schema.Complex {
				inner := scim.Object{}
				if document(t, a.SubAttributes, inner); len(inner) == 0 {
					continue
				}
				delete(inner, "primary")
				v = inner
			} else {
				v = scalars(t, a)
			}
			list = append(list, v)
		}
		switch {
		case len(list) == 0:
		case a.MultiValued:
			o[a.Name] = list
		default:
			o[a.Name] = list[0]
		}
	}
}

// TestAnyDefinition draws definitions and documents: a document that passes once always passes, its values are
// returned, and hidden ones are never shown.
func TestAnyDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		definitions := scim.Object{
			"schemas": []any{
				scim.Object{"id": device, "attributes": attributeList(t, []string{"serial", "model", "tags"}, true)},
				scim.Object{"id": badge, "attributes": attributeList(t, []string{"number", "colour", "rooms"}, true)},
			},
			"resourceTypes": []any{scim.Object{
				"id": "Device", "endpoint": "/Devices", "schema": device,
				"schemaExtensions": []any{
					scim.Object{"schema": badge, "required": flags.Draw(t, "required extension")},
				},
			}},
		}
		d, err := define.ParseDefinitions(definitions)
		if err != nil {
			t.Fatal(err)
		}
		again, err := define.ParseDefinitions(d.Object())
		if err != nil || !scim.Equal(again.Object(), d.Object()) {
			t.Fatalf("%v: read again: %s, was %s", err, text(again.Object()), text(d.Object()))
		}
		all, err := d.Types()
		if err != nil {
			t.Fatal(err)
		}
		rt := all.ByID("Device")
		body := scim.Object{}
		document(t, rt.Core.Attributes[3:], body)
		extension := scim.Object{}
		if document(t, rt.Extensions[0].Schema.Attributes, extension); len(extension) > 0 {
			body[badge] = extension
		}
		checkDocument(t, rt, body)
	})
}

func checkDocument(t *rapid.T, rt *schema.ResourceType, body scim.Object) {
	doc, err := rt.Normalize(body, scim.Dialect{})
	if err != nil {
		t.Skip("a required part had nothing to draw: ", err)
	}
	if err := rt.Check(doc); err != nil {
		t.Fatal(err)
	}
	stored, err := scim.ParseObject(scim.AppendJSON(nil, doc))
	if err != nil || !scim.Equal(stored, doc) {
		t.Fatalf("%v: stored %s, was %s", err, text(stored), text(doc))
	}
	next, err := rt.Normalize(stored, scim.Dialect{})
	if err != nil || !scim.Equal(next, doc) {
		t.Fatalf("%v: normalised again %s, was %s", err, text(next), text(doc))
	}
	if pruned := rt.Prune(stored); !scim.Equal(pruned, doc) {
		t.Fatalf("pruned %s, was %s", text(pruned), text(doc))
	}
	if !define.Admits(rt, rt) || define.Orphans(rt, rt, doc) != nil {
		t.Fatal("a type does not admit itself")
	}
	guarded := isGuarded(rt.Core.Attributes, false) || isGuarded(rt.Extensions[0].Schema.Attributes, false)
	if err := rt.Keep(doc, next); (err != nil || !scim.Equal(next, doc)) && !guarded {
		t.Fatalf("%v: kept %s, was %s", err, text(next), text(doc))
	}
	if _, err := rt.UniqueValues(doc); err != nil &&
		!strings.Contains(err.Error(), "at most 20 values that must be unique") {
		t.Fatal(err)
	}
	shown := rt.Project(doc, nil)
	for _, a := range rt.Core.Attributes[3:] {
		_, there := shown[a.Name]
		if there && (a.Returned == schema.Never || a.Returned == schema.Request) {
			t.Fatalf("%s is shown", a.Name)
		}
	}
}

// isGuarded reports whether some attribute is immutable and never returned, in whole or in part, so that its value
// can't be repeated.
func isGuarded(attributes []*schema.Attribute, inside bool) bool {
	for _, a := range attributes {
		hidden := inside || a.Returned == schema.Never
		if a.Mutability == schema.Immutable &&
			(hidden || slices.ContainsFunc(a.SubAttributes, func(s *schema.Attribute) bool {
				return s.Returned == schema.Never
			})) {
			return true
		}
		if isGuarded(a.SubAttributes, hidden) {
			return true
		}
	}
	return false
}
