package eventlog

import (
	"context"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// followed is how many entries Following looks at after a time.
const followed = 300

// Following returns the sequence numbers of the events that a request has caused, in order, among the first entries
// that were written at a time or later. It looks for that place by halves.
func Following(ctx context.Context, ts *store.TenantStore, since time.Time, requestID string) ([]int64, error) {
	items, err := ts.Get(ctx, ts.LogHead())
	if err != nil {
		return nil, err
	}
	end := DecodeHead(items[0]).Sequence
	low := int64(0) // the entries up to it are older
	for high := end; low < high; {
		middle := (low + high) / 2
		q, last := ts.LogAfter(middle)
		q.Limit = 1
		page, err := ts.Query(ctx, q)
		switch {
		case err != nil:
			return nil, err
		case len(page.Items) == 0: // not kept any more
			low = min(last, high)
		case at(page.Items[0]).Before(since):
			low = max(lastOf(page.Items[0]), middle+1)
		default:
			high = middle
		}
	}
	found := []int64{}
	for n := 0; low < end && n < followed; {
		q, last := ts.LogAfter(low)
		q.Limit = followed - n
		page, err := ts.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			n++
			low = lastOf(item)
			doc, _ := item.Attrs[attrDoc].(string)
			o, err := scim.ParseObject(doc)
			if err != nil {
				return nil, err
			}
			if o["request"] != requestID {
				continue
			}
			first, _ := item.Attrs[attrFirst].(int64)
			for seq := first; seq <= low; seq++ {
				found = append(found, seq)
			}
		}
		if !page.More {
			low = last
		}
	}
	return found, nil
}

// at is the time of a stored entry.
func at(item store.Item) time.Time {
	ms, _ := item.Attrs[attrAt].(int64)
	return time.UnixMilli(ms)
}

// lastOf is the sequence number of the last event of a stored entry, which is in the entry's key.
func lastOf(item store.Item) int64 {
	n, _ := strconv.ParseInt(item.SK, 10, 64)
	return n
}
