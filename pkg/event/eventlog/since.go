package eventlog

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Since returns the sequence number after which the events begin that are not older than at. Times in a log are not
// quite in order, so that it may be off by some events of about that time.
func Since(ctx context.Context, ts *store.TenantStore, at time.Time) (after int64, err error) {
	items, err := ts.Get(ctx, ts.LogHead())
	if err != nil {
		return 0, err
	}
	low, high := int64(0), DecodeHead(items[0]).Sequence
	for low < high {
		middle := (low + high) / 2
		q, _ := ts.LogAfter(middle)
		q.Limit = 1
		page, err := ts.Query(ctx, q)
		if err != nil {
			return 0, err
		}
		if len(page.Items) > 0 {
			first, _ := page.Items[0].Attrs[attrFirst].(int64)
			if when, _ := page.Items[0].Attrs[attrAt].(int64); when >= at.UnixMilli() {
				high = min(max(first-1, low), middle)
				continue
			}
		}
		low = middle + 1
	}
	return low, nil
}
