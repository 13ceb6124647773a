package schema

import (
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Define prepares a schema for fast look-ups and for errors that name attributes in full, and returns it. A schema
// must not be changed afterwards; it is then safe for concurrent use. A schema without Define works too, but
// slower.
func Define(s *Schema) *Schema {
	if isExtension(s.ID) {
		return define(s, s.ID+":")
	}
	return define(s, "")
}

// define is Define with the prefix of attribute names in errors.
func define(s *Schema, prefix string) *Schema {
	s.index = indexOf(s.Attributes)
	for _, a := range s.Attributes {
		a.define(prefix)
	}
	return s
}

// DefineCore is Define for the core schema of a resource type that an operator defines. The common attributes are put
// in front of its own, and errors name attributes without the URN.
func DefineCore(s *Schema) *Schema {
	s.Attributes = append(Common(), s.Attributes...)
	return define(s, "")
}

// Clone copies a schema and its attributes. The copy is not prepared by Define yet and may be changed.
func (s *Schema) Clone() *Schema {
	c := *s
	c.index, c.Attributes = nil, copyAttributes(s.Attributes)
	return &c
}

func copyAttributes(list []*Attribute) []*Attribute {
	if list == nil {
		return nil
	}
	copied := make([]*Attribute, len(list))
	for i, a := range list {
		c := *a
		c.index, c.SubAttributes = nil, copyAttributes(a.SubAttributes)
		copied[i] = &c
	}
	return copied
}

// SetCustom prepares a type, after its schemas are complete, that has more than RFC 7643 defines.
func (t *ResourceType) SetCustom() { t.custom, t.unique = true, t.uniquePaths() }

// isExtension reports whether attributes of this schema are written with the URN in front: all but those of the
// schemas that RFC 7643 calls core.
func isExtension(urn string) bool {
	return !strings.HasPrefix(urn, "urn:ietf:params:scim:schemas:core:2.0:")
}

func (a *Attribute) define(prefix string) {
	a.path = prefix + a.Name
	a.index = indexOf(a.SubAttributes)
	if former := formerNames[a.path]; former != "" {
		a.index[scim.Fold(former)] = a.index["value"]
	}
	for _, s := range a.SubAttributes {
		s.define(a.path + ".")
	}
}

// indexOf finds attributes by their declared name and by its fold. Names of one level differ by more than case (RFC
// 7643, section 2.1), so the two never meet.
func indexOf(attributes []*Attribute) map[string]*Attribute {
	index := make(map[string]*Attribute, 2*len(attributes))
	for _, a := range attributes {
		index[a.Name] = a
		index[scim.Fold(a.Name)] = a
	}
	return index
}

func find(index map[string]*Attribute, list []*Attribute, name string) *Attribute {
	if index != nil {
		if a, ok := index[name]; ok {
			return a
		}
		return index[scim.Fold(name)]
	}
	for _, a := range list {
		if strings.EqualFold(a.Name, name) {
			return a
		}
	}
	return nil
}

// Sub is the sub-attribute of that name, in any case; nil if there is none.
func (a *Attribute) Sub(name string) *Attribute { return find(a.index, a.SubAttributes, name) }

// Attribute is the attribute of that name, in any case; nil if there is none. For a core schema that includes the
// common attributes id, externalId and meta (RFC 7643, section 3.1).
func (s *Schema) Attribute(name string) *Attribute { return find(s.index, s.Attributes, name) }

// FullName is the attribute's name in errors: "emails.value", with the URN in front in an extension.
func (a *Attribute) FullName() string {
	if a.path == "" {
		return a.Name
	}
	return a.path
}

// schemasAttribute stands for "schemas", which every resource has (RFC 7643, section 3) and no schema lists.
var schemasAttribute = &Attribute{
	Name: "schemas", Type: Reference, MultiValued: true, Required: true, CaseExact: true, Mutability: ReadOnly,
	Returned:   Always,
	Uniqueness: None, ReferenceTypes: []string{"uri"},
	Description: "The URNs of the schemas that the resource has attributes of.",
}
