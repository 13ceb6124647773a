package tenant

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// Delivery sends a notice to its recipients, of which there is one at least. It returns notice.Sent, or
// notice.Failed if trying again is no use; after an error it is called again by each hourly run, for a
// day. It is called by one goroutine at a time for each tenant of a process, and by one process at a
// time with a notice; with the same one again if a process died between the call and the note that it
// was made. t is the tenant as it is now.
type Delivery func(ctx context.Context, t notice.Tenant, n notice.Notice) (notice.State, error)
