package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
)

type schemasCmd struct {
	List   schemasListCmd   `cmd:"" help:"List the schemas that are defined for a tenant."`
	Get    schemasGetCmd    `cmd:"" help:"Print a schema."`
	Put    schemasPutCmd    `cmd:"" help:"Make or replace a schema of the tenant's own."`
	Delete schemasDeleteCmd `cmd:"" help:"Delete a schema of the tenant's own."`
}

type typesCmd struct {
	List   typesListCmd   `cmd:"" help:"List the resource types that are defined for a tenant."`
	Get    typesGetCmd    `cmd:"" help:"Print a resource type."`
	Put    typesPutCmd    `cmd:"" help:"Make or replace a resource type, or the extensions of User or Group."`
	Delete typesDeleteCmd `cmd:"" help:"Delete a resource type, or take back the extensions."`
}

// ofTenant are the flags and words of all commands about definitions.
type ofTenant struct {
	admin
	Tenant string `arg:"" help:"Id of the tenant."`
}

// oneSchema and oneType name what is defined; definition is the file with it.
type (
	oneSchema struct {
		URN string `arg:"" name:"urn" help:"URN of the schema."`
	}
	oneType struct {
		Type string `arg:"" help:"Id of the resource type."`
	}
	definition struct {
		File string `arg:"" help:"File with the representation of RFC 7643; - reads standard input."`
	}
)

type schemasListCmd struct{ ofTenant }

// Run lists.
func (c *schemasListCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant, "schemas"), nil}, func(answer object) {
		rows := [][]any{{"SCHEMA", "NAME", "ATTRIBUTES"}}
		for _, o := range objects(answer["schemas"]) {
			rows = append(rows, []any{o["id"], o["name"], len(objects(o["attributes"]))})
		}
		table(s.Out, rows)
	})
}

type schemasGetCmd struct {
	ofTenant
	oneSchema
}

// Run prints.
func (c *schemasGetCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant, "schemas", c.URN), nil}, s.showDefinition)
}

// showDefinition prints JSON to read, which a definition is for people, too.
func (s *session) showDefinition(o object) {
	text, _ := json.MarshalIndent(o, "", "  ") // it was JSON
	fmt.Fprintf(s.Out, "%s\n", text)
}

type schemasPutCmd struct {
	ofTenant
	oneSchema
	definition
}

// Run puts.
func (c *schemasPutCmd) Run(s *session) error {
	body, err := s.document(c.File)
	if err != nil {
		return err
	}
	return c.call(s, request{http.MethodPut, path("tenants", c.Tenant, "schemas", c.URN), body}, s.showDefinition)
}

type schemasDeleteCmd struct {
	ofTenant
	oneSchema
}

// Run deletes.
func (c *schemasDeleteCmd) Run(s *session) error {
	return c.call(s, request{http.MethodDelete, path("tenants", c.Tenant, "schemas", c.URN), nil}, func(object) {
		fmt.Fprintf(s.Out, "Schema %s is deleted.\n", c.URN)
	})
}

type typesListCmd struct{ ofTenant }

// Run lists.
func (c *typesListCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant, "resource-types"), nil}, func(answer object) {
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

type typesGetCmd struct {
	ofTenant
	oneType
}

// Run prints.
func (c *typesGetCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant, "resource-types", c.Type), nil}, s.showDefinition)
}

type typesPutCmd struct {
	ofTenant
	oneType
	definition
}

// Run puts.
func (c *typesPutCmd) Run(s *session) error {
	body, err := s.document(c.File)
	if err != nil {
		return err
	}
	return c.call(s, request{http.MethodPut, path("tenants", c.Tenant, "resource-types", c.Type), body}, s.showDefinition)
}

type typesDeleteCmd struct {
	ofTenant
	oneType
}

// Run deletes.
func (c *typesDeleteCmd) Run(s *session) error {
	return c.call(s, request{http.MethodDelete, path("tenants", c.Tenant, "resource-types", c.Type), nil}, func(object) {
		fmt.Fprintf(s.Out, "Resource type %s is deleted.\n", c.Type)
	})
}
