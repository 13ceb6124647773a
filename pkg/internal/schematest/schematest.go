// Package schematest holds helpers that the tests of schema and of define share: JSON that a test wrote, and checks
// of refusals.
package schematest

import (
	"errors"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
)

// Schemas that a tenant defines.
const (
	Badge  = "urn:example:scim:schemas:2.0:Badge"
	Device = "urn:example:scim:schemas:2.0:Device"
)

// Object reads a JSON object.
func Object(t testing.TB, text string) scim.Object {
	t.Helper()
	o, err := scim.ParseObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

// Text writes a value as JSON.
func Text(v any) string { return string(scim.AppendJSON(nil, v)) }

// Refused checks that err is a 400 of that type whose detail has all the words.
func Refused(t testing.TB, about string, err error, typ scim.ErrorType, words ...string) {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: got %v, want a *scim.Error", about, err)
		return
	}
	if e.Status != 400 || e.Type != typ {
		t.Errorf("%s: got %v, want 400 %s", about, err, typ)
	}
	for _, w := range words {
		if !strings.Contains(e.Detail, w) {
			t.Errorf("%s: the detail %q lacks %q", about, e.Detail, w)
		}
	}
}

// Defined creates the types of a tenant from schemas and resource types, lists of JSON objects without the brackets.
func Defined(t testing.TB, schemas, types string) *schema.Types {
	t.Helper()
	d, err := define.ParseDefinitions(Object(t, `{"schemas":[`+schemas+`],"resourceTypes":[`+types+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	all, err := d.Types()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Attributes is the definition of a schema with a list of attributes.
func Attributes(urn, list string) string { return `{"id":"` + urn + `","attributes":[` + list + `]}` }

// WithBadge is a user type with attributes in an extension of its own.
func WithBadge(t testing.TB, list string, required bool) *schema.ResourceType {
	t.Helper()
	flag := "false"
	if required {
		flag = "true"
	}
	return Defined(t, Attributes(Badge, list),
		`{"id":"User","schemaExtensions":[{"schema":"`+Badge+`","required":`+flag+`}]}`).User()
}
