package schema_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/schematest"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Short names for the helpers of package schematest.
var (
	object     = schematest.Object
	text       = schematest.Text
	refused    = schematest.Refused
	defined    = schematest.Defined
	attributes = schematest.Attributes
	withBadge  = schematest.WithBadge
)

const (
	badge  = schematest.Badge
	device = schematest.Device
)

// value reads any JSON value that a test wrote.
func value(t testing.TB, text string) any {
	t.Helper()
	return object(t, `{"v":`+text+`}`)["v"]
}

func dialect(t testing.TB, idp string) scim.Dialect {
	t.Helper()
	d, ok := scim.DialectOf(idp)
	if !ok {
		t.Fatalf("no dialect %s", idp)
	}
	return d
}
