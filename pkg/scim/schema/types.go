package schema

import (
	"slices"
	"strings"
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Types are the resource types and schemas of one tenant. They are immutable and may be shared by many goroutines.
type Types struct {
	all     []*ResourceType
	schemas []*Schema
	byPath  map[string]*ResourceType
}

// DefaultTypes are the types of a tenant for which nothing is defined: User and Group. Like all that RFC 7643 defines
// they are made when they are first asked for: a process that has yet to see a token has no use for them.
var DefaultTypes = sync.OnceValue(func() *Types {
	return typesOf([]*ResourceType{UserType(), GroupType()}, []*Schema{User(), Group(), EnterpriseUser()})
})

func typesOf(all []*ResourceType, schemas []*Schema) *Types {
	t := &Types{
		all: all, schemas: append(slices.Clip(schemas), ServiceProviderConfig(), ResourceTypeSchema(), SchemaSchema()),
		byPath: map[string]*ResourceType{},
	}
	for _, rt := range all {
		t.byPath[scim.Fold(strings.TrimPrefix(rt.Endpoint, "/"))] = rt
	}
	return t
}

// User is the type of users.
func (t *Types) User() *ResourceType { return t.all[0] }

// Group is the type of groups.
func (t *Types) Group() *ResourceType { return t.all[1] }

// All lists the types: User, Group, then those that an operator defined, by id. The list must not be changed.
func (t *Types) All() []*ResourceType { return t.all }

// Schemas lists what /Schemas shows. The list must not be changed.
func (t *Types) Schemas() []*Schema { return t.schemas }

// ByEndpoint is the type whose endpoint is name, "Users", in any case; nil if there is none.
func (t *Types) ByEndpoint(name string) *ResourceType { return t.byPath[scim.Fold(name)] }

// ByID is the type with that id, in any case; nil if there is none.
func (t *Types) ByID(id string) *ResourceType {
	for _, rt := range t.all {
		if strings.EqualFold(rt.ID, id) {
			return rt
		}
	}
	return nil
}

// Limits of what an operator can define for one tenant.
const (
	MaxSchemas       = 20
	MaxResourceTypes = 20
	// MaxDefinitionBytes bounds all definitions of a tenant together, as JSON.
	MaxDefinitionBytes = 256 << 10
)

// Definitions are the schemas and resource types that an operator has defined for a tenant, beside those of RFC 7643.
type Definitions struct {
	Schemas       []*Schema
	ResourceTypes []TypeDefinition
}

// ParseDefinitions is the inverse of Definitions.Object.
func ParseDefinitions(o scim.Object) (Definitions, error) {
	var d Definitions
	f := fieldsOf(o, "", "schemas", "resourceTypes")
	for _, v := range f.list("schemas") {
		inner, _ := v.(scim.Object)
		s, err := ParseSchema(inner)
		if err != nil {
			return d, err
		}
		d.Schemas = append(d.Schemas, s)
	}
	for _, v := range f.list("resourceTypes") {
		inner, _ := v.(scim.Object)
		t, err := ParseResourceType(inner)
		if err != nil {
			return d, err
		}
		d.ResourceTypes = append(d.ResourceTypes, t)
	}
	return d, f.err
}

// Object is the definitions as JSON, always the same for the same definitions.
func (d Definitions) Object() scim.Object {
	schemas, types := make([]any, len(d.Schemas)), make([]any, len(d.ResourceTypes))
	for i, s := range d.Schemas {
		schemas[i] = s.Object()
	}
	for i, t := range d.ResourceTypes {
		types[i] = t.Object()
	}
	return scim.Object{"schemas": schemas, "resourceTypes": types}
}

// IsEmpty reports whether nothing is defined.
func (d Definitions) IsEmpty() bool { return len(d.Schemas)+len(d.ResourceTypes) == 0 }

// Schema is the defined schema of that URN, in any case; nil if there is none.
func (d Definitions) Schema(urn string) *Schema {
	for _, s := range d.Schemas {
		if strings.EqualFold(s.ID, urn) {
			return s
		}
	}
	return nil
}

// ResourceType is the defined type with that id, in any case.
func (d Definitions) ResourceType(id string) (TypeDefinition, bool) {
	for _, t := range d.ResourceTypes {
		if strings.EqualFold(t.ID, id) {
			return t, true
		}
	}
	return TypeDefinition{}, false
}

// With returns the definitions with a schema added, or put in the place of the one of its URN. d is not changed.
func (d Definitions) With(s *Schema) Definitions {
	d = d.Without(s.ID)
	d.Schemas = append(d.Schemas, s)
	slices.SortFunc(d.Schemas, func(a, b *Schema) int { return strings.Compare(scim.Fold(a.ID), scim.Fold(b.ID)) })
	return d
}

// Without returns the definitions without the schema of that URN. d is not changed.
func (d Definitions) Without(urn string) Definitions {
	d.Schemas = slices.DeleteFunc(slices.Clone(d.Schemas), func(s *Schema) bool { return strings.EqualFold(s.ID, urn) })
	return d
}

// WithType is With for resource types.
func (d Definitions) WithType(t TypeDefinition) Definitions {
	d = d.WithoutType(t.ID)
	d.ResourceTypes = append(d.ResourceTypes, t)
	slices.SortFunc(d.ResourceTypes,
		func(a, b TypeDefinition) int { return strings.Compare(scim.Fold(a.ID), scim.Fold(b.ID)) })
	return d
}

// WithoutType is Without for resource types.
func (d Definitions) WithoutType(id string) Definitions {
	d.ResourceTypes = slices.DeleteFunc(
		slices.Clone(d.ResourceTypes), func(t TypeDefinition) bool { return strings.EqualFold(t.ID, id) })
	return d
}
