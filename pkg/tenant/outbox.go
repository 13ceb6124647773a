package tenant

import (
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// outgoing is all that a change of a tenant writes beside the tenant's item, in the same transaction.
type outgoing struct {
	events  []event.Event
	notices []notice.Notice
	with    []store.Op
	// hint leaves the tenant's place in the order of due times and puts one more entry there, for now. It is for functions
	// that may not delete.
	hint bool
}

// tell notes an event for the next write of the record. Its subject is the token; without one it is the client that data names,
// else the tenant.
func (r *record) tell(now time.Time, kind event.Kind, tokenID string, data scim.Object) {
	e := event.Event{Kind: kind, Time: now, Data: data}
	if client, ok := data["clientId"].(string); ok {
		e.Subject = event.OfClient(client)
	}
	if tokenID != "" {
		e.Subject = event.OfToken(tokenID)
	}
	r.out.events = append(r.out.events, e)
}

// notify notes a notice for the next write of the record, to the recipients as they are now.
func (r *record) notify(now time.Time, n notice.Notice) {
	n.At, n.Recipients, n.State = now, r.Settings.Notices.Recipients, notice.Pending
	if len(n.Recipients) == 0 {
		n.State = notice.NoRecipient
		r.tell(now, event.NoticeFailed, n.TokenID, n.Data())
	}
	r.out.notices = append(r.out.notices, n)
}

// outbox makes the writes of all that the record has to tell, and notes on the record that there is something to deliver.
func (r *record) outbox(id string) ([]store.Op, error) {
	ops := append(r.out.with, event.Append(id, r.version, r.out.events...)...)
	pending := len(r.out.events) > 0
	for _, n := range r.out.notices {
		op, err := notice.Add(id, n)
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
		pending = pending || n.State == notice.Pending
	}
	if pending {
		r.Outbox = r.version
	}
	r.out = outgoing{}
	return ops, nil
}
