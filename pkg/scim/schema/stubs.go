package schema

import "github.com/serverless-scim/serverless-scim/pkg/scim"

// Sub is the sub-attribute of that name, in any case; nil if there is none.
func (a *Attribute) Sub(name string) *Attribute { return nil }

// Attribute is the attribute of that name, in any case; nil if there is none.
func (s *Schema) Attribute(name string) *Attribute { return nil }

// Lookup resolves an attribute name.
func (t *ResourceType) Lookup(name string, bareExtensions bool) (Ref, bool) { return Ref{}, false }

// Normalize makes a canonical document of a client's POST or PUT body.
func (t *ResourceType) Normalize(in scim.Object, d scim.Dialect) (scim.Object, error) { return in, nil }

// Check says whether a canonical document may be stored.
func (t *ResourceType) Check(doc scim.Object) error { return nil }

// SetSchemas rebuilds doc["schemas"].
func (t *ResourceType) SetSchemas(doc scim.Object) {}

// Normalize checks and coerces an attribute's whole value.
func (a *Attribute) Normalize(v any, d scim.Dialect) (any, error) { return v, nil }

// NormalizeElement checks and coerces one element of a multi-valued attribute.
func (a *Attribute) NormalizeElement(v any, d scim.Dialect) (any, error) { return v, nil }

// Projection is the selection of attributes of an answer.
type Projection struct{}

// Projection makes a Projection from the query parameters attributes and excludedAttributes.
func (t *ResourceType) Projection(attributes, excludedAttributes []string) (*Projection, error) {
	return nil, nil
}

// Project makes the part of doc that an answer shows.
func (t *ResourceType) Project(doc scim.Object, p *Projection) scim.Object { return doc }

// Wants says whether the top-level core attribute attr is part of the answer.
func (p *Projection) Wants(t *ResourceType, attr string) bool { return true }

// Object is the representation for /Schemas.
func (s *Schema) Object(hide ...string) scim.Object { return nil }

// Object is the representation for /ResourceTypes.
func (t *ResourceType) Object() scim.Object { return nil }
