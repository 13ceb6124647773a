package event

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// attrDoc is the attribute of a stored event with all but its id, as JSON.
const attrDoc = "doc"

// idRandom is the length of the random part of an id. It tells a tenant from an earlier one of its name.
const idRandom = 10

// Append makes the writes that store events of a tenant until they are delivered, oldest first. They go into the
// transaction of the change that the events are about. position is a number of the tenant's that grows with each
// change, such as the version of the changed item: ids sort by it, and then by the place in events. It sets the ids and
// the tenant; an empty Subject becomes the tenant.
//
// An event is two items: one waits for Deliver, the other, an announcement, for the publisher of the tenant's log. One
// item for both would need a condition and a second write by whoever comes first, and a bus that refuses events would
// hold up the log. Two items cost two
// write units more with the change, and each reader removes its own.
func Append(tenantID string, position int64, events ...Event) []store.Op {
	keys, ops := store.KeysOf(tenantID), make([]store.Op, 0, 2*len(events))
	entries := make([]eventlog.Entry, 0, len(events))
	for i, e := range events {
		id := fmt.Sprintf("%012d-%02d-%s", position, i, strings.ToLower(rand.Text()[:idRandom]))
		doc := scim.Object{"kind": string(e.Kind), "at": e.Time.UnixMilli()}
		if e.Subject != "" {
			doc["subject"] = e.Subject
		}
		if e.Data != nil {
			doc["data"] = e.Data
		}
		ops = append(ops, store.PutItem(keys.Event(id), store.Attrs{
			attrDoc: string(scim.AppendJSON(nil, doc)), store.AttrWake: store.WakeTell,
		}))
		if e.Subject == "" {
			e.Subject = OfTenant(tenantID)
		}
		entries = append(entries, eventlog.Entry{
			Subject: e.Subject, At: e.Time, Events: []eventlog.Logged{{Type: string(e.Kind), Data: e.Data}},
		})
	}
	return append(ops, eventlog.Announce(keys, position, entries...)...)
}

// Delivery returns the function of Deliver that hands events to a sink.
func Delivery(s Sink) func(context.Context, Event) error {
	return func(ctx context.Context, e Event) error { return s.Put(ctx, e) }
}

// Deliver hands the stored events of a tenant to put, one at a time in their order, and removes each for which put
// returns nil. The first error ends it: that event and those after it stay. It may be killed anywhere, and run in two
// places at once: an event then comes again.
func Deliver(ctx context.Context, st *store.Store, tenantID string, put func(context.Context, Event) error) error {
	prefix := store.KeysOf(tenantID).EventPrefix()
	for item, err := range st.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return err
		}
		e, err := decode(tenantID, item)
		if err != nil {
			return err
		}
		if err := put(ctx, e); err != nil {
			return fmt.Errorf("event: %s: %w", e.Kind, err)
		}
		if err := st.Write(ctx, store.RemoveItem(item.Key)); err != nil {
			return err
		}
	}
	return nil
}

// decode reads a stored event.
func decode(tenantID string, item store.Item) (Event, error) {
	text, _ := item.Attrs[attrDoc].(string)
	doc, err := scim.ParseObject(text)
	if err != nil {
		return Event{}, fmt.Errorf("event: stored event %s: %s", item.SK, err.Error()) // no client sent it
	}
	kind, _ := doc["kind"].(string)
	at, _ := doc["at"].(int64)
	e := Event{ID: store.LastPart(item.SK), Kind: Kind(kind), Tenant: tenantID, Time: time.UnixMilli(at).UTC()}
	e.Data, _ = doc["data"].(scim.Object)
	if e.Subject, _ = doc["subject"].(string); e.Subject == "" {
		e.Subject = OfTenant(tenantID)
	}
	return e, nil
}
