package schema

import (
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Object is the schema as a resource of /Schemas (RFC 7643, section 7), without meta. The attributes named in hide, in
// any case, are left out; a sub-attribute is named with its attribute, as in emails.display.
func (s *Schema) Object(hide ...string) scim.Object {
	attributes := make([]any, 0, len(s.Attributes))
	for _, a := range s.Attributes {
		if !hides(hide, a.Name) {
			attributes = append(attributes, a.object(hide))
		}
	}
	return scim.Object{
		"schemas": []any{scim.SchemaURN}, "id": s.ID, "name": s.Name, "description": s.Description,
		"attributes": attributes,
	}
}

// hides reports whether a name is in a list, in any case.
func hides(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// object describes one attribute without its sub-attributes in hide. caseExact and uniqueness are there if they mean
// something for the type (RFC 7643, section 2.3).
func (a *Attribute) object(hide []string) scim.Object {
	o := scim.Object{
		"name": a.Name, "type": string(a.Type), "multiValued": a.MultiValued, "description": a.Description,
		"required":   a.Required,
		"mutability": string(a.Mutability), "returned": string(a.Returned),
	}
	if a.Type != Complex {
		o["uniqueness"] = string(a.Uniqueness)
	}
	switch a.Type {
	case String, Reference, Binary:
		o["caseExact"] = a.CaseExact
	}
	if len(a.CanonicalValues) > 0 {
		o["canonicalValues"] = list(a.CanonicalValues)
	}
	if len(a.ReferenceTypes) > 0 {
		o["referenceTypes"] = list(a.ReferenceTypes)
	}
	if len(a.SubAttributes) > 0 {
		subs := make([]any, 0, len(a.SubAttributes))
		for _, s := range a.SubAttributes {
			if len(hide) == 0 || !hides(hide, a.Name+"."+s.Name) {
				subs = append(subs, s.object(nil))
			}
		}
		o["subAttributes"] = subs
	}
	return o
}

func list(values []string) []any {
	l := make([]any, len(values))
	for i, v := range values {
		l[i] = v
	}
	return l
}

// Object is the resource type as a resource of /ResourceTypes (RFC 7643, section 6), without meta.
func (t *ResourceType) Object() scim.Object {
	o := scim.Object{
		"schemas": []any{scim.ResourceTypeURN}, "id": t.ID, "name": t.Name, "endpoint": t.Endpoint,
		"description": t.Description,
		"schema":      t.Core.ID,
	}
	if len(t.Extensions) > 0 {
		extensions := make([]any, len(t.Extensions))
		for i, e := range t.Extensions {
			extensions[i] = scim.Object{"schema": e.Schema.ID, "required": e.Required}
		}
		o["schemaExtensions"] = extensions
	}
	return o
}
