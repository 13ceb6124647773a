package query

import (
	"context"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/cursor"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// A mark stores, for some time, the place at which a page of a list ended. The page that begins at the next index
// continues at that place. So it costs as much as the first page, and writes in the meantime do not make it show a
// resource twice or omit one: the mark decides, and not the index. The total of a mark is valid until a resource is
// created or deleted. The mark itself is valid until the number of creations and deletions is half the number of
// resources at its time: then the list is too different.

// markLife is how long a page's end is kept.
const markLife = 10 * time.Minute

// Attributes of a page mark.
const (
	markAfter = "after" // the place that the page ended at
	markTotal = "total" // the total, if it took a search
	markCount = "count" // the resources of the types that are listed
	markMade  = "made"  // those that were ever made
	markMoved = "moved" // 1 if any of this changed on the way, else absent
)

// readMark finds the place from which the page that begins at the query's start index goes on.
func (l *lister) readMark(ctx context.Context) (found bool, err error) {
	var items []store.Item
	g, gctx := task.WithContext(ctx)
	g.Go(func() (err error) {
		items, err = l.ts.Get(gctx, l.ts.PageMark(l.list(), strconv.Itoa(l.q.StartIndex)))
		return err
	})
	if err := g.Join(func() error { return l.tally(gctx) }); err != nil || items[0].Attrs == nil {
		return false, err
	}
	attrs := items[0].Attrs
	expires, _ := attrs[store.AttrTTL].(int64)
	after, _ := attrs[markAfter].([]byte)
	p, ok := cursor.DecodePlace(after)
	if !ok || p.Kind >= len(l.types) || l.d.Now().Unix() >= expires {
		return false, nil
	}
	before := counter.Tally{}
	before.N, _ = attrs[markCount].(int64)
	before.Made, _ = attrs[markMade].(int64)
	changes := l.sum().Since(before)
	if 2*changes > before.N {
		return false, nil
	}
	moved, _ := attrs[markMoved].(int64)
	l.moved = changes > 0 || moved > 0
	if n, counted := attrs[markTotal].(int64); counted && !l.moved {
		l.known = int(n)
	}
	l.from = &p
	return true, nil
}

// mark keeps the place at which the page ended, if more follows. If it can't be kept, that is no error of the
// request: the next page then counts.
func (l *lister) mark(ctx context.Context, list *Page, total int) {
	if len(l.rows) == 0 {
		return
	}
	next := l.q.StartIndex + len(list.Resources)
	list.Total = l.shown(next - 1)
	if !l.more && list.Total < next {
		return
	}
	err := l.tally(ctx)
	if err == nil {
		attrs := store.Attrs{
			markAfter:     cursor.AppendPlace(nil, l.rows[len(l.rows)-1].Place),
			markCount:     l.sum().N,
			markMade:      l.sum().Made,
			store.AttrTTL: l.d.Now().Add(markLife).Unix(),
		}
		if total >= 0 {
			attrs[markTotal] = int64(total)
		}
		if l.moved {
			attrs[markMoved] = int64(1)
		}
		err = l.ts.Write(ctx, store.PutItem(l.ts.PageMark(l.list(), strconv.Itoa(next)), attrs))
	}
	if err != nil {
		l.d.Log.WarnContext(ctx, "end of a page not recorded", "tenant", l.t.ID, "error", err)
	}
}

// shown returns the total of a page of a walk, of which so many results have been shown. Writes during the walk,
// and while a page is read, make the counts differ from the results found. A client that gets too low a total
// stops early. If the total is more than it was shown, it asks for another page, so the end of such a walk is kept
// as well.
func (l *lister) shown(n int) int {
	switch {
	case l.more:
		return max(l.total, n+1)
	case l.moved && l.searched:
		return n
	}
	return l.total
}

// tally reads the counters of the listed types, once.
func (l *lister) tally(ctx context.Context) error {
	if l.tallies != nil {
		return nil
	}
	tallies := make([]counter.Tally, len(l.kinds))
	g, ctx := task.WithContext(ctx)
	for i, k := range l.kinds {
		g.Go(func() (err error) {
			tallies[i], err = counter.Read(ctx, l.ts, k.rt.ID)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	l.tallies = tallies
	return nil
}

// sum adds up the counters that were read.
func (l *lister) sum() counter.Tally {
	var sum counter.Tally
	for _, t := range l.tallies {
		sum.N += t.N
		sum.Made += t.Made
	}
	return sum
}
