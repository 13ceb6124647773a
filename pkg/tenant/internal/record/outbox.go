package record

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Outgoing is all that a change of a tenant writes beside the tenant's item, in the same transaction.
type Outgoing struct {
	Events  []event.Event
	Notices []notice.Notice
	// With are more writes of the change.
	With []store.Op
	// Hint leaves the tenant's entry in the order of due times, and adds one if work is due earlier. It is for
	// functions that may not delete.
	Hint bool
}

// Tell adds an event to the next write of the record. Its subject is the token; without one it is the client that data
// names, else the tenant.
func (r *Record) Tell(now time.Time, kind event.Kind, tokenID string, data scim.Object) {
	e := event.Event{Kind: kind, Time: now, Data: data}
	if client, ok := data["clientId"].(string); ok {
		e.Subject = event.OfClient(client)
	}
	if tokenID != "" {
		e.Subject = event.OfToken(tokenID)
	}
	r.Out.Events = append(r.Out.Events, e)
}

// Notify adds a notice to the next write of the record. It goes to its own recipients or, if it has none, to those of
// the tenant as they are now.
func (r *Record) Notify(now time.Time, n notice.Notice) {
	n.At, n.State = now, notice.Pending
	if n.Recipients == nil {
		n.Recipients = r.Settings.Notices.Recipients
	}
	if len(n.Recipients) == 0 {
		n.State = notice.NoRecipient
		r.Tell(now, event.NoticeFailed, n.TokenID, n.Data())
	}
	r.Out.Notices = append(r.Out.Notices, n)
}

// Flush returns the writes of all events and notices of the record, and marks on the record that there are some to
// deliver. The events have the cause of ctx.
func (r *Record) Flush(ctx context.Context, id string) ([]store.Op, error) {
	ops := append(r.Out.With, event.Append(id, r.Version, event.CauseOf(ctx), r.Out.Events...)...)
	pending := false
	for _, n := range r.Out.Notices {
		op, err := notice.Add(id, n)
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
		pending = pending || n.State == notice.Pending
	}
	if pending {
		r.Outbox = r.Version
	}
	r.Out = Outgoing{}
	return ops, nil
}
