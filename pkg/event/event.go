package event

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Event is something that happened to a tenant, before it has its number in the log.
type Event struct {
	// Kind is the type of the event, such as "token.expired". It also determines the members of Data.
	Kind Kind
	// Subject is the thing that the event is about, such as OfToken; empty: the tenant. It is the same for all events
	// about one thing.
	Subject string
	// Time is when it happened, in milliseconds.
	Time time.Time
	// Data has the details; nil if there are none. Times in it are RFC 3339. It holds no names, addresses or values
	// of tokens.
	Data scim.Object
}

// Cause is the request that led to an event.
type Cause = eventlog.Cause

type causeKey struct{}

// WithRequest returns a context whose events name a request of the admin API or the portal as their cause.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, causeKey{}, Cause{RequestID: id})
}

// CauseOf is the cause of the events of a context; the zero value if it is unknown.
func CauseOf(ctx context.Context) Cause {
	c, _ := ctx.Value(causeKey{}).(Cause)
	return c
}

// Append makes the writes that announce events of a tenant to the publisher of its log, oldest first. They go into the
// transaction of the change that the events are about, and have its cause. position is a number of the tenant's that
// grows with each change, such as the version of the changed item: events of the same time are numbered by it, and then
// by the place in events.
func Append(tenantID string, position int64, cause Cause, events ...Event) []store.Op {
	entries := make([]eventlog.Entry, 0, len(events))
	for _, e := range events {
		if e.Subject == "" {
			e.Subject = OfTenant(tenantID)
		}
		entries = append(entries, eventlog.Entry{
			Subject: e.Subject, At: e.Time, Cause: cause,
			Events: []eventlog.Logged{{Type: string(e.Kind), Data: e.Data}},
		})
	}
	return eventlog.Announce(store.KeysOf(tenantID), position, entries...)
}
