package eventlog

import (
	"context"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Back asks for the entries of one subject, the newest first.
type Back struct {
	Subject string
	// Last is the sequence number with which the first entry to read ends. That of an entry of another subject finds
	// nothing.
	Last int64
	// Count is the most entries to read, one call each.
	Count int
	// Oldest: older entries count as not kept; the zero time keeps all.
	Oldest time.Time
}

// Chain reads the events of a subject by the links of its entries: each names the one before it. next is the Last to go
// on with; 0: there are no older entries that are kept.
func Chain(ctx context.Context, ts *store.TenantStore, b Back) (events []Numbered, next int64, err error) {
	last := b.Last
	for range b.Count {
		if last <= 0 {
			break
		}
		items, err := ts.Get(ctx, ts.LogEntry(last))
		if err != nil {
			return nil, 0, err
		}
		item := items[0]
		if item.Attrs == nil || at(item).Before(b.Oldest) {
			return events, 0, nil
		}
		all, err := expand(ts.TenantID(), "", item)
		if err != nil {
			return nil, 0, err
		}
		if len(all) > 0 && all[0].Object["subject"] != b.Subject {
			return events, 0, nil
		}
		slices.Reverse(all)
		events = append(events, all...)
		last, _ = item.Attrs[attrBefore].(int64)
	}
	return events, max(last, 0), nil
}
