package schema

import (
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Normalize creates a canonical document of the body of a POST or PUT (RFC 7644, sections 3.3 and 3.5.1); in is left as
// it is, but the result may share values with it. In the result
//
//   - attributes have their declared names and extension data stands under the extension's URN, also if the client
//     wrote the URN before the attribute name, put core attributes under the core URN, or, with d.BareExtensionNames,
//     wrote no URN;
//   - values have their declared types: see Attribute.Normalize;
//   - nothing is null, "", [] or {};
//   - read-only attributes are left out, and so are attributes that no schema knows (400 invalidSyntax with
//     d.RejectUnknownAttributes);
//   - "schemas" names the core schema, then each extension that has data (see SetSchemas); the client's value is
//     ignored. It may be missing or a single string, except with d.RequireDeclaredExtensions.
//
// The result holds password and a group's members, too. The result passes Check, and normalising it again changes
// nothing. An error is an *scim.Error 400 invalidValue or invalidSyntax that names the attribute.
func (t *ResourceType) Normalize(in scim.Object, d scim.Dialect) (scim.Object, error) {
	n := normalizer{t: t, d: d, doc: make(scim.Object, len(in)+1)}
	for _, k := range sortedKeys(in) {
		if err := n.key(k, in[k]); err != nil {
			return nil, err
		}
	}
	if err := n.joinDotted(); err != nil {
		return nil, err
	}
	if err := n.checkSchemas(); err != nil {
		return nil, err
	}
	t.SetSchemas(n.doc)
	if err := t.Check(n.doc); err != nil {
		return nil, err
	}
	return n.doc, nil
}

type normalizer struct {
	t       *ResourceType
	d       scim.Dialect
	doc     scim.Object
	schemas any // as the client wrote it
	dotted  []dottedKey
}

// key takes one top-level key of the body.
func (n *normalizer) key(k string, v any) error {
	if a := n.t.Core.Attribute(k); a != nil {
		return n.set(n.doc, a, v)
	}
	if strings.EqualFold(k, schemasAttribute.Name) {
		n.schemas = v
		return nil
	}
	s, name, ok := n.t.cutURN(k)
	if !ok {
		return n.bare(k, v)
	}
	if name == "" {
		return n.whole(s, v)
	}
	return n.attribute(s, name, v)
}

// bare takes a key without URN that the core schema doesn't know.
func (n *normalizer) bare(k string, v any) error {
	if n.keepDotted(n.t.Core, k, v) {
		return nil
	}
	if a := filtered(n.t.Core, k); a != nil {
		return noPath(a, k)
	}
	if n.d.BareExtensionNames {
		for _, e := range n.t.Extensions {
			if e.Schema.Attribute(k) != nil || filtered(e.Schema, k) != nil {
				return n.attribute(e.Schema, k, v)
			}
			if n.keepDotted(e.Schema, k, v) {
				return nil
			}
		}
	}
	return n.unknown(k)
}

// whole takes the attributes of one schema, as an object under its URN.
func (n *normalizer) whole(s *Schema, v any) error {
	if a, ok := v.([]any); ok && len(a) == 1 {
		v = a[0]
	}
	switch v := v.(type) {
	case nil:
		return nil
	case scim.Object:
		for _, k := range sortedKeys(v) {
			if err := n.attribute(s, k, v[k]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
		if text, ok := parseText(v); ok {
			if o, ok := text.(scim.Object); ok {
				return n.whole(s, o)
			}
		}
	}
	return scim.BadRequest(scim.InvalidValue,
		"The value of %s must be an object with the attributes of that schema, not %s.",
		s.ID, kind(v))
}

// attribute takes one attribute of a schema.
func (n *normalizer) attribute(s *Schema, name string, v any) error {
	a := s.Attribute(name)
	switch {
	case a == nil && strings.EqualFold(name, schemasAttribute.Name):
		return nil // rebuilt from the data; some clients write it inside an extension, too
	case a == nil && n.keepDotted(s, name, v):
		return nil
	case a == nil:
		if a := filtered(s, name); a != nil {
			return noPath(a, name)
		}
		return n.unknown(name)
	}
	return n.in(s, func(o scim.Object) error { return n.set(o, a, v) })
}

// in calls f with the object that holds the attributes of s.
func (n *normalizer) in(s *Schema, f func(scim.Object) error) error {
	if s == n.t.Core {
		return f(n.doc)
	}
	ext, ok := n.doc[s.ID].(scim.Object)
	if !ok {
		ext = scim.Object{}
	}
	if err := f(ext); err != nil {
		return err
	}
	if len(ext) > 0 {
		n.doc[s.ID] = ext
	}
	return nil
}

// set normalises a value into o. The same attribute may come twice, in two spellings, if the values agree.
func (n *normalizer) set(o scim.Object, a *Attribute, v any) error {
	if a.Mutability == ReadOnly {
		return nil
	}
	v, err := a.Normalize(v, n.d)
	if v == nil || err != nil {
		return err
	}
	if old, ok := o[a.Name]; ok && !scim.Equal(old, v) {
		return givenTwice(a)
	}
	o[a.Name] = v
	return nil
}

func (n *normalizer) unknown(name string) error {
	if !n.d.RejectUnknownAttributes {
		return nil
	}
	return unknownAttribute(name)
}

func unknownAttribute(name string) error {
	return scim.BadRequest(scim.InvalidSyntax,
		"No schema of this resource has an attribute %s. Remove it from the attribute mapping.",
		scim.Quote(name))
}

// checkSchemas judges the client's "schemas": its shape always, its content only for a strict dialect.
func (n *normalizer) checkSchemas() error {
	strict := n.d.RequireDeclaredExtensions
	var urns []any
	switch v := n.schemas.(type) {
	case nil:
	case []any:
		urns = v
	case string:
		if urns = []any{v}; strict {
			return badSchemas(n.t.Core)
		}
	default:
		return badSchemas(n.t.Core)
	}
	declared := make(map[string]bool, len(urns))
	for _, u := range urns {
		s, ok := u.(string)
		if !ok {
			return badSchemas(n.t.Core)
		}
		declared[scim.Fold(s)] = true
		if e, rest, ok := n.t.cutURN(s); ok && rest == "" {
			declared[scim.Fold(e.ID)] = true
		}
	}
	if err := n.checkURNs(urns); err != nil || !strict {
		return err
	}
	if !declared[scim.Fold(n.t.Core.ID)] {
		return badSchemas(n.t.Core)
	}
	for _, e := range n.t.Extensions {
		if _, ok := n.doc[e.Schema.ID]; ok && !declared[scim.Fold(e.Schema.ID)] {
			return scim.BadRequest(scim.InvalidValue, "The body has attributes of %s; add that URN to \"schemas\".",
				e.Schema.ID)
		}
	}
	return nil
}

// checkURNs refuses a URN that is no schema of the resource type, for a dialect that refuses unknown attributes.
func (n *normalizer) checkURNs(urns []any) error {
	if !n.d.RejectUnknownAttributes {
		return nil
	}
	for _, u := range urns {
		urn, _ := u.(string)
		known := strings.EqualFold(urn, n.t.Core.ID)
		for _, e := range n.t.Extensions {
			known = known || strings.EqualFold(urn, e.Schema.ID)
		}
		if !known {
			return scim.BadRequest(scim.InvalidSyntax,
				"This resource does not have the schema %s; /ResourceTypes lists all.", scim.Quote(urn))
		}
	}
	return nil
}

func badSchemas(core *Schema) error {
	return scim.BadRequest(scim.InvalidSyntax, "\"schemas\" must be an array of schema URNs, among them %q.", core.ID)
}

// SetSchemas rebuilds doc["schemas"]: the core schema first, then each extension that doc has data of which a client
// may see: the list must not reveal that there is a value of an attribute that is never returned.
func (t *ResourceType) SetSchemas(doc scim.Object) {
	urns := make([]any, 1, 1+len(t.Extensions))
	urns[0] = t.Core.ID
	for _, e := range t.Extensions {
		if o, ok := doc[e.Schema.ID].(scim.Object); ok && visible(e.Schema.Attributes, o) {
			urns = append(urns, e.Schema.ID)
		}
	}
	doc["schemas"] = urns
}

// sortedKeys gives results and errors that do not depend on the order of a map.
func sortedKeys(o scim.Object) []string {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
