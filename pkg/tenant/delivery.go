package tenant

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// Delivery sends a notice to its recipients, at least one. It returns notice.Sent, or notice.Failed if a retry is of
// no use. After an error each hourly run calls it again, for a day. A process calls it from one goroutine at a time
// for each tenant. Only one process at a time calls it with a notice; if that process dies before it has recorded the
// result, another one calls it with the same notice. t is the tenant as it is now.
type Delivery func(ctx context.Context, t notice.Tenant, n notice.Notice) (notice.State, error)
