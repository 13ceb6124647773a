package define

import (
	"cmp"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// TypeDefinition is a resource type as an operator defines it, its schemas named by URN (RFC 7643, section 6). With the
// id of User or Group it says which extensions the type has beside those of RFC 7643.
type TypeDefinition struct {
	ID, Name, Endpoint, Description string
	// Schema is the URN of the core schema.
	Schema     string
	Extensions []ExtensionDefinition
}

// ExtensionDefinition names a schema that a resource type adds to its core schema.
type ExtensionDefinition struct {
	Schema   string
	Required bool
}

// maxExtensions bounds the extensions of a resource type.
const maxExtensions = 20

// reservedTypes are the ids, and reservedEndpoints the paths, that the protocol or this server has a use for.
var (
	reservedTypes     = []string{"schema", "resourcetype", "serviceproviderconfig", "groupmembership", "me"}
	reservedEndpoints = []string{
		"/me", "/bulk", "/schemas", "/resourcetypes", "/serviceproviderconfig",
		"/groupmemberships", "/v2",
	}
)

// ParseResourceType reads a resource type that an operator defines, in the representation of RFC 7643, section 6.
// The id is the name if it is left out, and the other way round. Of User and Group only schemaExtensions can be
// set: all other values given must be those of RFC 7643. The further keys of a representation (schemas, meta) are
// ignored, all others refused. The error is an *scim.Error 400 invalidValue.
func ParseResourceType(o scim.Object) (TypeDefinition, error) {
	f := fieldsOf(o, "", "schemas", "meta", "id", "name", "description", "endpoint", "schema", "schemaExtensions")
	t := TypeDefinition{
		ID: f.text("id", maxNameLength), Name: f.text("name", maxNameLength),
		Endpoint: f.text("endpoint", maxNameLength), Description: f.text("description", maxDescription),
		Schema: f.text("schema", maxURNLength),
	}
	list := f.list("schemaExtensions")
	if f.err != nil {
		return t, f.err
	}
	if len(list) > maxExtensions {
		return t, invalidDefinition("schemaExtensions must not have more than %d values", maxExtensions)
	}
	for _, v := range list {
		inner, _ := v.(scim.Object)
		e := fieldsOf(inner, "schemaExtensions.", "schema", "required")
		x := ExtensionDefinition{Schema: e.text("schema", maxURNLength), Required: e.flag("required", false)}
		if x.Schema == "" {
			e.fail("schemaExtensions", " must be objects with a schema each")
		}
		if e.err != nil {
			return t, e.err
		}
		t.Extensions = append(t.Extensions, x)
	}
	t.ID, t.Name = cmp.Or(t.ID, t.Name), cmp.Or(t.Name, t.ID)
	if b := builtin(t.ID); b != nil {
		return t.ofBuiltin(b)
	}
	return t, t.check()
}

// builtin is the type of RFC 7643 with that id; nil if there is none.
func builtin(id string) *schema.ResourceType { return schema.DefaultTypes().ByID(id) }

// ofBuiltin checks the definition of more extensions for a type of RFC 7643.
func (t TypeDefinition) ofBuiltin(b *schema.ResourceType) (TypeDefinition, error) {
	for _, pair := range [][3]string{
		{"name", t.Name, b.Name}, {"endpoint", t.Endpoint, b.Endpoint}, {"schema", t.Schema, b.Core.ID},
	} {
		if pair[1] != "" && !strings.EqualFold(pair[1], pair[2]) {
			return t, invalidDefinition("the %s of %s is %s and can't be changed", pair[0], b.ID, pair[2])
		}
	}
	t.ID, t.Name, t.Endpoint, t.Schema, t.Description = b.ID, b.Name, b.Endpoint, b.Core.ID, b.Description
	return t, nil
}

func (t TypeDefinition) check() error {
	endpoint := scim.Fold(t.Endpoint)
	switch {
	case !isName(t.ID) || t.ID == "$ref":
		return invalidDefinition("id must be a letter, then letters, digits, hyphens and underscores, at most %d",
			maxNameLength)
	case !strings.EqualFold(t.ID, t.Name):
		return invalidDefinition("id and name must be the same; leave one out")
	case slices.Contains(reservedTypes, scim.Fold(t.ID)):
		return invalidDefinition("the id %s is reserved", t.ID)
	case !strings.HasPrefix(endpoint, "/") || !isName(t.Endpoint[1:]):
		return invalidDefinition("endpoint must be a slash and a name, such as /Devices")
	case slices.Contains(reservedEndpoints, endpoint):
		return invalidDefinition("the endpoint %s is reserved", t.Endpoint)
	case t.Schema == "":
		return invalidDefinition("schema must be the URN of the core schema")
	}
	return nil
}

// Object is the definition in the representation of RFC 7643, section 6, without meta.
func (t TypeDefinition) Object() scim.Object {
	o := scim.Object{
		"schemas": []any{scim.ResourceTypeURN}, "id": t.ID, "name": t.Name, "endpoint": t.Endpoint,
		"description": t.Description,
		"schema":      t.Schema,
	}
	extensions := make([]any, len(t.Extensions))
	for i, e := range t.Extensions {
		extensions[i] = scim.Object{"schema": e.Schema, "required": e.Required}
	}
	o["schemaExtensions"] = extensions
	return o
}
