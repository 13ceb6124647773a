package event

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// SchemaVersion is the layout of the envelope. New members may come without a new version; one that goes or changes its
// meaning makes one.
const SchemaVersion = 1

// Event is something that happened, in its envelope.
type Event struct {
	// ID is the same however often the event comes. No two events of a tenant have the same.
	ID string
	// Kind says what happened: "token.expired". It also says what is in Data.
	Kind Kind
	// Tenant is the id of the tenant.
	Tenant string
	// Subject is the thing that it happened to: OfToken, OfClient or OfTenant. It is the same for all events about one
	// thing.
	Subject string
	// Time is when it happened, in milliseconds.
	Time time.Time
	// Data is what else there is to say; nil is nothing. Times in it are RFC 3339. Events about tokens and notices hold no
	// names, addresses or values of tokens.
	Data scim.Object
	// DataOmitted says that Data was more than the sink takes: the subject has to be read for it.
	DataOmitted bool
}

// JSON is the event as receivers get it: one object in one line, the same bytes each time.
func (e Event) JSON() []byte {
	o := scim.Object{
		"id": e.ID, "type": string(e.Kind), "schemaVersion": int64(SchemaVersion), "tenant": e.Tenant, "subject": e.Subject,
		"time": scim.FormatTime(e.Time),
	}
	switch {
	case e.DataOmitted:
		o["dataOmitted"] = true
	case e.Data == nil:
		o["data"] = scim.Object{}
	default:
		o["data"] = e.Data
	}
	return scim.AppendJSON(nil, o)
}

// Sink is where events go.
type Sink interface {
	// Put hands over events, oldest first. It returns nil once all of them are safe with the receiver. After an error any
	// of them may be, and all are put again: at least once, never lost.
	Put(ctx context.Context, events ...Event) error
}
