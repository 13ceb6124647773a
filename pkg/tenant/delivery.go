package tenant

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// Delivery is how events and notices leave the table. Both functions are required, are called by one goroutine at a
// time for each tenant of a process, and may be called again with the same event or notice: after a process died
// between the call and the note that it was made, or, for events, by two processes at once.
type Delivery struct {
	// Event hands an event to the sink. It returns nil once the sink has it; after an error it is called again later, and
	// the events of the tenant that follow wait.
	Event func(ctx context.Context, e event.Event) error
	// Notice sends a notice to its recipients, of which there is one at least. It returns notice.Sent, or notice.Failed if
	// trying again is no use; after an error it is called again by each hourly run, for a day. Only one process at a time
	// is here with a notice. t is the tenant as it is now.
	Notice func(ctx context.Context, t notice.Tenant, n notice.Notice) (notice.State, error)
}
