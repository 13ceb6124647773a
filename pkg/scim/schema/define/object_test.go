package define_test

import "github.com/serverless-scim/serverless-scim/pkg/internal/schematest"

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
