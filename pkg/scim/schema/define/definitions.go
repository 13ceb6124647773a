package define

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Limits of an operator's definitions for one tenant.
const (
	maxSchemas       = 20
	maxResourceTypes = 20
	// MaxDefinitionBytes bounds all definitions of a tenant together, as JSON.
	MaxDefinitionBytes = 256 << 10
)

// Definitions are the schemas and resource types that an operator has defined for a tenant, beside those of RFC 7643.
type Definitions struct {
	Schemas       []*schema.Schema
	ResourceTypes []TypeDefinition

	created map[string]int64 // Unix seconds by folded URN or id; without those that were defined before it was recorded
}

// CreatedAt is the time at which the schema of a URN or the resource type of an id was defined first, in Unix seconds;
// 0 if that was not recorded.
func (d Definitions) CreatedAt(name string) int64 { return d.created[scim.Fold(name)] }

// After returns the definitions with the times of creation of those that they replace, and now for new ones.
func (d Definitions) After(before Definitions, now int64) Definitions {
	d.created = map[string]int64{}
	keep := func(name string, known bool) {
		switch at := before.CreatedAt(name); {
		case !known:
			d.created[scim.Fold(name)] = now
		case at != 0:
			d.created[scim.Fold(name)] = at
		}
	}
	for _, s := range d.Schemas {
		keep(s.ID, before.Schema(s.ID) != nil)
	}
	for _, t := range d.ResourceTypes {
		_, known := before.ResourceType(t.ID)
		keep(t.ID, known)
	}
	return d
}

// Stored is the stored form of definitions. All its fields are empty if nothing is defined.
type Stored struct {
	// Doc are the definitions as JSON. Created are the times of creation as JSON; "" if none was recorded.
	Doc, Created string
	// Hash is equal for equal definitions with equal times.
	Hash string
}

// Encode returns the stored form.
func (d Definitions) Encode() Stored {
	if d.IsEmpty() {
		return Stored{}
	}
	s := Stored{Doc: string(scim.AppendJSON(nil, d.Object()))}
	if len(d.created) > 0 {
		created, _ := json.Marshal(d.created) // a map of numbers, which can always be written
		s.Created = string(created)
	}
	sum := sha256.Sum256([]byte(s.Doc + s.Created))
	s.Hash = hex.EncodeToString(sum[:16])
	return s
}

// Decode is the inverse of Encode. The hash is not needed.
func Decode(s Stored) (Definitions, error) {
	o, err := scim.ParseObject(s.Doc)
	if err != nil {
		return Definitions{}, err
	}
	d, err := ParseDefinitions(o)
	if err == nil && s.Created != "" {
		err = json.Unmarshal([]byte(s.Created), &d.created)
	}
	return d, err
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
func (d Definitions) Schema(urn string) *schema.Schema {
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
func (d Definitions) With(s *schema.Schema) Definitions {
	d = d.Without(s.ID)
	d.Schemas = append(d.Schemas, s)
	slices.SortFunc(d.Schemas, func(a, b *schema.Schema) int {
		return strings.Compare(scim.Fold(a.ID), scim.Fold(b.ID))
	})
	return d
}

// Without returns the definitions without the schema of that URN. d is not changed.
func (d Definitions) Without(urn string) Definitions {
	d.Schemas = slices.DeleteFunc(slices.Clone(d.Schemas),
		func(s *schema.Schema) bool { return strings.EqualFold(s.ID, urn) })
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
