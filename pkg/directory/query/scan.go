package query

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/query/cursor"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/lookup"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// How a search that nothing narrows goes about it.
const (
	// alone is how many resources are read one page after the other before ranges are read in parallel.
	alone = 5000
	// scanners is how many ranges of ids are read in parallel.
	scanners = 8
)

// errScanTime ends a search that takes too long.
var errScanTime = errors.New("directory: the search took too long")

// bounds divide ids, which are random UUIDs, into ranges of about one size. Other ids are found as well.
var bounds = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"}

// scanner tests resources against a filter and offers those that pass.
type scanner struct {
	l     *lister
	c     *collector
	limit int64
	seen  atomic.Int64
}

// search answers a query by looking at every resource of its types, ranges of ids in parallel; at those after the
// page's place only if the total is known and the order is by id. A type that lookups narrow is still read by
// lookup.
func (l *lister) search(ctx context.Context) error {
	l.searched = true
	c := l.collector()
	s := &scanner{l: l, c: c, limit: int64(l.d.MaxRows)}
	read := s.whole
	if l.known >= 0 && l.order.byID() {
		read = s.ahead
	}
	err := read(ctx)
	l.collected(c)
	return err
}

// whole reads all ranges of all types.
func (s *scanner) whole(ctx context.Context) error {
	g, ctx := task.WithContext(ctx)
	g.SetLimit(scanners)
	for _, k := range s.l.kinds {
		if k.narrow != nil && len(s.l.kinds) > 1 {
			g.Go(func() error { return s.narrow(ctx, k) })
			continue
		}
		for i := range len(bounds) + 1 {
			g.Go(func() error { return s.section(ctx, k, i, "") })
		}
	}
	return g.Wait()
}

// narrow reads the candidates of a type among several.
func (s *scanner) narrow(ctx context.Context, k *kind) error {
	found, err := k.narrow.Find(ctx)
	if err != nil {
		return err
	}
	if k.take(found); found.Many {
		for i := range len(bounds) + 1 {
			if err := s.section(ctx, k, i, ""); err != nil {
				return err
			}
		}
		return nil
	}
	return s.byKey(ctx, k, found.IDs, false)
}

// byKey reads the resources of a type with these ids, in reading order, and takes them. If early is true, it ends
// before those that can't be on the page.
func (s *scanner) byKey(ctx context.Context, k *kind, ids []string, early bool) error {
	for chunk := range slices.Chunk(ids, 4*store.MaxGetKeys) {
		if early && s.c.done(cursor.Place{Kind: k.index, ID: chunk[0]}) {
			return nil
		}
		err := s.l.ts.Portions(ctx, s.l.keys(k, chunk), func(_ []int, items []store.Item) (bool, error) {
			return true, s.take(ctx, k, items, false)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ahead reads on from the page's place, in the page's order, until the page is full.
func (s *scanner) ahead(ctx context.Context) error {
	kinds := s.l.kinds
	for n := range kinds {
		k := kinds[n]
		if s.l.down {
			k = kinds[len(kinds)-1-n]
		}
		if s.l.from != nil && s.l.before(k.index, s.l.from.Kind) {
			continue
		}
		if k.narrow != nil && len(kinds) > 1 {
			if err := s.narrow(ctx, k); err != nil || s.full() {
				return err
			}
			continue
		}
		after := ""
		if s.l.from != nil && s.l.from.Kind == k.index {
			after = s.l.from.ID
		}
		if err := s.gently(ctx, k, after); err != nil || s.full() {
			return err
		}
	}
	return nil
}

// gently reads the resources after an id in growing steps, so that a page that is soon full does not cost more
// than it must, and then in parallel.
func (s *scanner) gently(ctx context.Context, k *kind, after string) error {
	for limit := 2 * s.l.need(); limit < alone; limit *= 4 {
		page, err := s.page(ctx, k, store.Query{After: after, Limit: limit})
		if err != nil || !page.More || s.full() {
			return err
		}
		after = page.Last
	}
	return s.rest(ctx, k, after)
}

func (s *scanner) full() bool {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return len(s.c.rows) == s.c.keep
}

// rest reads the ranges after an id.
func (s *scanner) rest(ctx context.Context, k *kind, after string) error {
	g, ctx := task.WithContext(ctx)
	g.SetLimit(scanners)
	for n := range len(bounds) + 1 {
		i := n
		if s.l.down {
			i = len(bounds) - n
		}
		from, to := section(i)
		if s.l.down && from != "" && from >= after || !s.l.down && to != "" && to <= after {
			continue
		}
		g.Go(func() error {
			if s.l.down && (to == "" || to > after) || !s.l.down && from <= after {
				return s.section(ctx, k, i, after)
			}
			return s.section(ctx, k, i, "")
		})
	}
	return g.Wait()
}

// section returns the lowest id of a range and the id that it ends before; empty if it has no end.
func section(i int) (from, to string) {
	if i > 0 {
		from = bounds[i-1]
	}
	if i < len(bounds) {
		to = bounds[i]
	}
	return from, to
}

// section reads one range of ids of a type. If after is not empty, it begins after that id. It stops if nothing
// that follows can be on the page.
func (s *scanner) section(ctx context.Context, k *kind, i int, after string) error {
	from, to := section(i)
	early := s.l.known >= 0 && s.l.order.byID()
	next := after
	if next == "" {
		if next = from; s.l.down {
			next = to
		}
	}
	q := store.Query{From: from, To: to, After: after}
	for {
		if early && next != "" && s.c.done(cursor.Place{Kind: k.index, ID: next}) {
			return nil
		}
		page, err := s.page(ctx, k, q)
		if err != nil || !page.More {
			return err
		}
		q.After, next = page.Last, page.Last
	}
}

// page reads one page of a range of ids and takes its items.
func (s *scanner) page(ctx context.Context, k *kind, q store.Query) (store.Page, error) {
	q.PK, q.Reverse = row.Key(s.l.ts.Keys, k.rt, "").PK, s.l.down && s.l.order.byID()
	release, err := s.l.ts.Reserve(ctx, store.MaxPageBytes)
	defer release()
	if err != nil {
		return store.Page{}, err
	}
	page, err := s.l.ts.Query(ctx, q)
	if err != nil {
		return page, err
	}
	items := page.Items
	if q.To != "" { // which belongs to the next range
		if n := len(items); n > 0 && items[n-1].SK == q.To {
			items = items[:n-1]
		} else if n > 0 && items[0].SK == q.To {
			items = items[1:]
		}
	}
	if s.seen.Add(int64(len(items))) > s.limit {
		return page, tooManyRows(s.limit)
	}
	return page, s.take(ctx, k, items, true)
}

// take tests the items of a type against its filter, and offers those that pass. In range, they follow each other.
func (s *scanner) take(ctx context.Context, k *kind, items []store.Item, inRange bool) error {
	rows := make([]found, 0, len(items))
	for _, it := range items {
		if it.Attrs == nil {
			continue
		}
		if err := ctx.Err(); err != nil { // documents may be large
			return err
		}
		rec, err := row.Decode(k.rt, it)
		if err != nil {
			return err
		}
		r := found{kind: k, Place: cursor.Place{Kind: k.index, ID: rec.ID}, bytes: s.l.size(rec)}
		r.res = rec.Resource(s.l.t)
		if k.reads || s.l.order.attached {
			rows = append(rows, r)
			continue
		}
		switch v := k.judge(r.ID, r.res.Doc); {
		case v == no:
		case v == unsure, v == likely && k.few && !(k.attach && s.l.q.Count > 0):
			rows = append(rows, r)
		default: // if it is not sure yet, that is left to the rows of the page
			r.open = v == likely
			err = s.offer(r)
		}
		if err != nil {
			return err
		}
	}
	if k.asks && !k.reads {
		return s.l.confirm(ctx, k, rows, s.offer)
	}
	return s.l.hold(ctx, k, rows, inRange, s.offer)
}

// offer takes in a resource that matches.
func (s *scanner) offer(r found) error {
	if !s.l.order.byID() {
		r.Key = cursor.Key(r.kind.sort, r.res.Doc)
	}
	if s.l.order.attached || r.kind.reads {
		delete(r.res.Doc, lookup.Attached(r.kind.rt)) // attached again if it is part of the answer
	}
	if r.open && !r.kind.attach { // read again, and confirmed, if it is on the page
		r.res.Doc = nil
	}
	r.open = false
	return s.c.offer(r)
}

// wayOut names the filters that need no search.
const wayOut = "Filter by id, userName, externalId, emails, displayName of a group or members, " +
	"alone or joined to others with `and`."

func tooManyRows(limit int64) error {
	return scim.BadRequest(scim.TooMany, "The query would have to read more than %d resources. %s", limit, wayOut)
}

func tooSlow(limit time.Duration) error {
	return scim.BadRequest(scim.TooMany, "The query took longer than %v. %s", limit, wayOut)
}
