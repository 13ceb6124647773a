package query

import (
	"context"
	"errors"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/cursor"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// start sets the place at which the page begins: that of a cursor, the end of the page before it, or the
// beginning.
func (l *lister) start(ctx context.Context) error {
	switch {
	case l.q.HasCursor && l.q.Cursor != "":
		return l.openCursor()
	case l.q.HasCursor:
	case l.q.StartIndex > 1 && l.q.Count > 0:
		found, err := l.readMark(ctx)
		if err != nil || found {
			return err
		}
		l.skip = l.q.StartIndex - 1
	}
	return nil
}

// backwards turns the reading direction round.
func (l *lister) backwards() { l.back, l.down = true, !l.down }

// need is the number of rows to read: one more than the page holds tells whether more follow.
func (l *lister) need() int {
	if l.q.Count == 0 {
		return 0
	}
	return l.q.Count + 1
}

// read finds the rows and the total.
func (l *lister) read(ctx context.Context) error {
	unfiltered := !slices.ContainsFunc(l.kinds, func(k *kind) bool { return k.filter != nil })
	switch {
	case len(l.kinds) == 0:
		return nil
	case unfiltered && (l.order.byID() || l.order.named):
		return l.all(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, l.d.MaxScan, errScanTime)
	defer cancel()
	var err error
	if len(l.kinds) == 1 && l.kinds[0].narrow != nil {
		err = l.candidates(ctx, l.kinds[0])
	} else {
		err = l.search(ctx)
	}
	if err != nil && errors.Is(context.Cause(ctx), errScanTime) {
		return tooSlow(l.d.MaxScan)
	}
	return err
}

// all answers a query without a filter: the total from the counters, the rows from the partition, or for the order of
// names from the items that make names unique.
func (l *lister) all(ctx context.Context) error {
	g, ctx := task.WithContext(ctx)
	g.Go(func() error { return l.tally(ctx) })
	err := g.Join(func() error {
		kinds := slices.Clone(l.kinds)
		if l.down {
			slices.Reverse(kinds)
		}
		for _, k := range kinds {
			if err := l.walk(ctx, k); err != nil || l.more || len(l.rows) == l.need() {
				return err
			}
		}
		return nil
	})
	l.total = int(l.sum().N)
	return err
}

// walk takes rows from a partition in its order.
func (l *lister) walk(ctx context.Context, k *kind) error {
	if l.need() == 0 || l.from != nil && l.before(k.index, l.from.Kind) {
		return nil
	}
	q := store.Query{PK: row.Key(l.ts.Keys, k.rt, "").PK, Reverse: l.down}
	if l.order.named {
		q.PK = l.ts.UserName("").PK
		if row.IsGroup(k.rt) {
			q.PK = l.ts.GroupName("", "").PK
		}
	}
	if l.from != nil && l.from.Kind == k.index {
		q.After = l.sortedAt(k, *l.from)
	}
	if beyond, err := l.pass(ctx, k, &q); err != nil || beyond {
		return err
	}
	q.Limit = l.need() - len(l.rows)
	bytes, seen := 0, map[string]bool{}
	for it, err := range l.ts.All(ctx, q) {
		if err != nil {
			return err
		}
		r, err := l.row(k, it)
		if err != nil {
			return err
		}
		if l.order.named { // a name that was given up while pages were read comes again as another one
			if seen[r.ID] {
				continue
			}
			seen[r.ID] = true
		}
		l.rows = append(l.rows, r)
		bytes += r.bytes
		if len(l.rows) == l.need() || bytes > l.left && len(l.rows) > 1 {
			l.more = len(l.rows) < l.need()
			return nil
		}
		if l.bytes > maxPageRead && len(l.rows) > 1 {
			l.rows, l.more = l.rows[:len(l.rows)-1], true
			return nil
		}
	}
	return nil
}

func (l *lister) before(a, b int) bool {
	if l.down {
		return a > b
	}
	return a < b
}

// sortedAt is the sort key of a place in the partition that is walked.
func (l *lister) sortedAt(k *kind, p cursor.Place) string {
	switch {
	case !l.order.named:
		return p.ID
	case row.IsGroup(k.rt):
		return l.ts.GroupName(p.Key[len(cursor.Value):], p.ID).SK
	}
	return p.Key[len(cursor.Value):]
}

// row creates a row of an item of the partition that is walked.
func (l *lister) row(k *kind, it store.Item) (found, error) {
	r := found{kind: k, Place: cursor.Place{Kind: k.index, ID: it.SK}}
	switch {
	case !l.order.named:
		rec, err := row.Decode(k.rt, it)
		if err != nil {
			return r, err
		}
		l.bytes += rec.Bytes
		r.bytes = l.size(rec)
		r.res = rec.Resource(l.t)
		return r, l.trim(&r)
	case row.IsGroup(k.rt):
		parts := store.Split(it.SK)
		r.Key, r.ID = cursor.Value+parts[0], parts[len(parts)-1]
	default:
		r.Key = cursor.Value + it.SK
		r.ID, _ = it.Attrs["id"].(string)
	}
	return r, nil
}

// metaBytes is about the size of id, meta and the list's share in an answer, beside the stored document.
const metaBytes = 400

func (l *lister) size(r row.Record) int { return r.Bytes + metaBytes + len(l.t.BaseURL) }

// pass has the query of a type's rows begin after l.skip resources; beyond says that there are no more than that.
// The number left to skip stays in l.skip.
func (l *lister) pass(ctx context.Context, k *kind, q *store.Query) (beyond bool, err error) {
	switch {
	case l.skip == 0:
		return false, nil
	case l.order.named:
		return l.passNames(ctx, q)
	}
	t := l.tallies[slices.Index(l.kinds, k)]
	if int(t.N) <= l.skip {
		l.skip -= int(t.N)
		return true, nil
	}
	before := l.skip
	if l.down {
		before = int(t.N) - l.skip
	}
	l.skip = 0
	id, err := t.Jump(ctx, l.ts, q.PK, before)
	if l.down {
		q.After = id
	} else {
		q.From = id
	}
	return false, err
}

// passNames is pass in the order of names, which no counters are in: it reads the items of the names.
func (l *lister) passNames(ctx context.Context, q *store.Query) (beyond bool, err error) {
	names := *q
	names.Select = store.KeysOnly
	for l.skip > 0 {
		names.Limit = l.skip
		page, err := l.ts.Query(ctx, names)
		if err != nil {
			return false, err
		}
		if l.skip -= page.Count; page.Count > 0 {
			names.After = page.Items[page.Count-1].SK
		}
		if !page.More {
			break
		}
	}
	q.After = names.After
	return l.skip > 0, nil
}

// sureTotal is how many candidates are all read, so that the total is counted on each page; of more, it is the
// total found when the walk began.
const sureTotal = 1000

// candidates answers a query whose filter is narrow.
func (l *lister) candidates(ctx context.Context, k *kind) error {
	found, err := k.narrow.Find(ctx)
	if err != nil {
		return err
	}
	if k.take(found); found.Many {
		return l.search(ctx)
	}
	if l.down {
		found.IDs = slices.Clone(found.IDs)
		slices.Reverse(found.IDs)
	}
	few := len(found.IDs) <= store.MaxGetKeys
	if k.exact && !found.Loose && k.narrow.Exists && l.order.byID() && !(k.narrow.Joined && few) {
		l.pick(k, found.IDs)
		return nil
	}
	if l.searched = len(found.IDs) > sureTotal; !l.searched {
		l.known = -1
	}
	c := l.collector()
	s := &scanner{l: l, c: c}
	if len(found.IDs) == 1 && k.attach && row.IsUser(k.rt) && !k.mixed {
		err = l.only(ctx, s, k, found.IDs)
	} else {
		err = s.byKey(ctx, k, found.IDs, l.known >= 0 && l.order.byID())
	}
	if err != nil {
		return err
	}
	l.collected(c)
	return nil
}

// only reads a single candidate, and its groups beside it.
func (l *lister) only(ctx context.Context, s *scanner, k *kind, ids []string) error {
	var items []store.Item
	g, gctx := task.WithContext(ctx)
	g.Go(func() (err error) {
		items, err = l.ts.Get(gctx, l.keys(k, ids)...)
		return err
	})
	err := g.Join(func() (err error) {
		l.groups, err = l.readGroups(gctx, ids, false)
		return err
	})
	if err != nil {
		return err
	}
	return s.take(ctx, k, items, false)
}

// pick takes the rows from ids in reading order that all are results.
func (l *lister) pick(k *kind, ids []string) {
	l.total = len(ids)
	if l.from != nil {
		behind := func(id string) bool { return (id > l.from.ID) != l.down && id != l.from.ID }
		first := slices.IndexFunc(ids, behind)
		if first < 0 {
			return
		}
		ids = ids[first:]
	}
	ids = ids[min(l.skip, len(ids)):]
	for _, id := range ids[:min(l.need(), len(ids))] {
		l.rows = append(l.rows, found{kind: k, Place: cursor.Place{Kind: k.index, ID: id}})
	}
}

func (l *lister) collector() *collector {
	c := &collector{down: l.down, from: l.from, spare: 2 * l.left}
	if l.need() > 0 {
		c.keep = l.skip + l.need()
	}
	return c
}

// collected takes over the rows and the total of a collector.
func (l *lister) collected(c *collector) {
	rows := c.sorted()
	l.rows, l.total = rows[min(l.skip, len(rows)):], c.total
	if l.known >= 0 {
		l.total = l.known
	}
}

// finish completes the page.
func (l *lister) finish(ctx context.Context) (Page, error) {
	if len(l.rows) > l.q.Count {
		l.rows, l.more = l.rows[:l.q.Count], true
	}
	if err := l.complete(ctx); err != nil {
		return Page{}, err
	}
	list := Page{StartIndex: l.q.StartIndex, Resources: make([]row.Resource, 0, len(l.rows))}
	for i, r := range l.rows {
		if r.res.Doc == nil {
			continue // deleted a moment ago
		}
		if l.q.Take != nil && !l.q.Take(r.res) {
			if len(list.Resources) == 0 {
				return Page{}, tooLarge()
			}
			l.rows, l.more = l.rows[:i], true
			break
		}
		list.Resources = append(list.Resources, r.res)
	}
	if l.back {
		slices.Reverse(list.Resources)
	}
	l.recount(len(list.Resources))
	list.Total = l.total
	err := l.follow(ctx, &list)
	return list, err
}

// recount takes the total from a page that begins the list and holds n results: the counters are read beside them,
// and so may be of another moment.
func (l *lister) recount(n int) {
	switch {
	case l.from != nil || l.q.StartIndex > 1 || l.q.Count == 0 || l.total < 0:
	case l.more:
		l.total = max(l.total, n+1)
	default:
		l.total = n
	}
}

func tooLarge() error {
	return scim.BadRequest(scim.TooMany, "The first result is too large for one response. %s", membership.LessMembers)
}

// complete reads the missing parts of the rows, and ends the page before the first row that does not fit.
func (l *lister) complete(ctx context.Context) error {
	if slices.ContainsFunc(l.kinds, func(k *kind) bool { return k.mixed }) { // see kind.weigh: documents first
		if err := l.load(ctx); err != nil {
			return err
		}
	}
	users := l.attaching(false)
	ids, inRange := l.ids(users), l.adjacent(users)
	g, gctx := task.WithContext(ctx)
	if len(users) > 0 && l.groups.of == nil {
		g.Go(func() (err error) {
			l.groups, err = l.readGroups(gctx, ids, inRange)
			return err
		})
	}
	if err := g.Join(func() error { return l.load(gctx) }); err != nil {
		return err
	}
	if err := l.fit(); err != nil {
		return err
	}
	if err := l.setGroups(ctx, l.rows, l.groups); err != nil {
		return err
	}
	for i := range l.rows {
		if r := &l.rows[i]; r.late() && !row.IsGroup(r.kind.rt) {
			matches, open := r.kind.weigh(r.res.Doc)
			r.failed, r.open = !matches, open
		}
	}
	if err := l.attachMembers(ctx); err != nil {
		return err
	}
	return l.keep(ctx)
}

// load reads the documents that rows lack.
func (l *lister) load(ctx context.Context) error {
	var keys []store.Key
	var at []int
	for i, r := range l.rows {
		if r.res.Doc == nil {
			keys, at = append(keys, row.Key(l.ts.Keys, r.kind.rt, r.ID)), append(at, i)
		}
	}
	read := make([]bool, len(keys))
	next, bytes := 0, 0 // keys[:next] are read, and take so much of the answer
	err := l.ts.Portions(ctx, keys, func(places []int, items []store.Item) (bool, error) {
		rows := make([]int, len(places))
		for i, place := range places {
			rows[i], read[place] = at[place], true
		}
		if err := l.decode(ctx, items, rows); err != nil {
			return false, err
		}
		for ; next < len(keys) && read[next]; next++ {
			if err := l.trim(&l.rows[at[next]]); err != nil {
				return false, err
			}
			bytes += l.rows[at[next]].bytes
		}
		return next == 0 || bytes <= l.left && l.bytes <= maxPageRead, nil
	})
	if err == nil && next < len(keys) { // documents that do not fit the page anyway are not all in memory
		l.rows, l.more = l.rows[:at[next]], true
	}
	return err
}

// fit ends the page before the row with which the documents would pass its size.
func (l *lister) fit() error {
	for i := range l.rows {
		if err := l.trim(&l.rows[i]); err != nil {
			return err
		}
		if l.rows[i].bytes > l.left && i > 0 {
			l.rows, l.more = l.rows[:i], true
			return nil
		}
		l.left -= l.rows[i].bytes
	}
	return nil
}
