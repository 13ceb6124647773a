package define_test

import "github.com/serverless-scim/serverless-scim/pkg/internal/schematest"

// Short names for what the tests share with their neighbours.
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
