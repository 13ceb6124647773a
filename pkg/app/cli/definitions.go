package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
)

type schemasCmd struct {
	List   schemasListCmd              `cmd:"" help:"List the custom schemas of a tenant."`
	Get    definitionGet[oneSchema]    `cmd:"" help:"Print a schema."`
	Put    definitionPut[oneSchema]    `cmd:"" help:"Create or replace a custom schema."`
	Delete definitionDelete[oneSchema] `cmd:"" help:"Delete a custom schema."`
}

type typesCmd struct {
	List   typesListCmd              `cmd:"" help:"List the custom resource types of a tenant."`
	Get    definitionGet[oneType]    `cmd:"" help:"Print a resource type."`
	Put    definitionPut[oneType]    `cmd:"" help:"Create or replace a resource type, or extensions of User or Group."`
	Delete definitionDelete[oneType] `cmd:"" help:"Delete a resource type, or remove extensions of User or Group."`
}

// ofTenant are the flags and words of all commands about definitions.
type ofTenant struct {
	admin
	Tenant string `arg:"" help:"Id of the tenant."`
}

// A named is a word of the command line that names a definition.
type named interface {
	path(tenant string) string
	String() string
}

type oneSchema struct {
	URN string `arg:"" name:"urn" help:"URN of the schema."`
}

func (n oneSchema) path(tenant string) string { return path("tenants", tenant, "schemas", n.URN) }
func (n oneSchema) String() string            { return "Schema " + n.URN }

type oneType struct {
	Type string `arg:"" help:"Id of the resource type."`
}

func (n oneType) path(tenant string) string { return path("tenants", tenant, "resource-types", n.Type) }
func (n oneType) String() string            { return "Resource type " + n.Type }

type schemasListCmd struct{ tenantSearch }

// Run lists.
func (c *schemasListCmd) Run(s *session) error {
	p := query(path("tenants", c.Tenant, "schemas"), "name", c.Name)
	return c.call(s, request{http.MethodGet, p, nil}, func(answer object) {
		rows := [][]any{{"SCHEMA", "NAME", "ATTRIBUTES"}}
		for _, o := range objects(answer["schemas"]) {
			rows = append(rows, []any{o["id"], o["name"], len(objects(o["attributes"]))})
		}
		table(s.Out, rows)
	})
}

type typesListCmd struct{ tenantSearch }

// Run lists.
func (c *typesListCmd) Run(s *session) error {
	p := query(path("tenants", c.Tenant, "resource-types"), "name", c.Name)
	return c.call(s, request{http.MethodGet, p, nil}, func(answer object) {
		rows := [][]any{{"TYPE", "ENDPOINT", "SCHEMA", "EXTENSIONS"}}
		for _, o := range objects(answer["resourceTypes"]) {
			rows = append(rows, []any{
				orWord(o["id"], text(o["name"])), o["endpoint"], o["schema"],
				len(objects(o["schemaExtensions"])),
			})
		}
		table(s.Out, rows)
	})
}

type definitionGet[N named] struct {
	ofTenant
	Of N `embed:""`
}

// Run prints.
func (c *definitionGet[N]) Run(s *session) error {
	return c.call(s, request{http.MethodGet, c.Of.path(c.Tenant), nil}, s.showDefinition)
}

// showDefinition prints JSON to read, which a definition is for people, too.
func (s *session) showDefinition(o object) {
	text, _ := json.MarshalIndent(o, "", "  ") // it was JSON
	fmt.Fprintf(s.Out, "%s\n", text)
}

type definitionPut[N named] struct {
	ofTenant
	Of   N      `embed:""`
	File string `arg:"" help:"File with the JSON of RFC 7643, section 7 or 6; - reads standard input."`
}

// Run puts.
func (c *definitionPut[N]) Run(s *session) error {
	body, err := s.document(c.File)
	if err != nil {
		return err
	}
	return c.call(s, request{http.MethodPut, c.Of.path(c.Tenant), body}, s.showDefinition)
}

type definitionDelete[N named] struct {
	ofTenant
	Of N `embed:""`
}

// Run deletes.
func (c *definitionDelete[N]) Run(s *session) error {
	return c.call(s, request{http.MethodDelete, c.Of.path(c.Tenant), nil}, func(object) {
		fmt.Fprintf(s.Out, "%s is deleted.\n", c.Of)
	})
}
