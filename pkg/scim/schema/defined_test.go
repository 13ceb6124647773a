package schema_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
)

const (
	badge  = "urn:example:scim:schemas:2.0:Badge"
	device = "urn:example:scim:schemas:2.0:Device"
)

// defined makes the types of a tenant from schemas and resource types.
func defined(t testing.TB, schemas, types string) *schema.Types {
	t.Helper()
	d, err := define.ParseDefinitions(object(t, `{"schemas":[`+schemas+`],"resourceTypes":[`+types+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	all, err := d.Types()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func attributes(urn, list string) string { return `{"id":"` + urn + `","attributes":[` + list + `]}` }

// withBadge is a user type with attributes in an extension of its own.
func withBadge(t testing.TB, list string, required bool) *schema.ResourceType {
	flag := "false"
	if required {
		flag = "true"
	}
	return defined(t, attributes(badge, list), `{"id":"User","schemaExtensions":[{"schema":"`+badge+`","required":`+flag+
		`}]}`).User()
}
