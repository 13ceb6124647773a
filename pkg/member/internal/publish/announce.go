package publish

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// announcedAtOnce is the number of announcements that one transaction numbers: each is an entry and the end of its
// marker, beside the head and, rarely, the name of a partition.
const announcedAtOnce = 40

// number gives numbers to announced events, oldest first. One transaction on the head of the log writes the entry
// and ends the announcement. So each event gets its number once, even if processes die or race.
func (s *Publisher) number(ctx context.Context, t policies.Tenant, ts *store.TenantStore) error {
	for more := true; more; {
		err := store.Retry(ctx, record.ContendFor, func() error {
			prefix := ts.MarkerPrefix(eventlog.AnnouncementKind)
			page, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: announcedAtOnce})
			if more = page.More; err != nil || len(page.Items) == 0 {
				return err
			}
			items, err := ts.Get(ctx, ts.LogHead())
			if err != nil {
				return err
			}
			n, err := logged(ctx, t, ts, eventlog.DecodeHead(items[0]), page.Items)
			more = more || n < len(page.Items)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// logged appends announcements to the log, as many as fit one transaction, at least one, and returns their number.
func logged(
	ctx context.Context, t policies.Tenant, ts *store.TenantStore, head eventlog.Head, items []store.Item,
) (int, error) {
	for n := len(items); ; n = (n + 1) / 2 {
		var tx store.Tx
		var entries []eventlog.Entry
		for _, item := range items[:n] {
			a, err := eventlog.DecodeAnnouncement(item)
			if err != nil {
				return 0, err
			}
			entries = append(entries, a.Entry)
			tx.Must(a.Done(), store.ErrStale)
		}
		_, ops := head.Append(ts.Keys, t.Retention, entries...)
		tx.Must(ops[0], store.ErrStale)
		tx.Add(ops[1:]...)
		if n == 1 || tx.Room() >= 0 && tx.Bytes() <= store.MaxTransactBytes*3/4 {
			return n, tx.Commit(ctx, ts)
		}
	}
}
