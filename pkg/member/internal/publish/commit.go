package publish

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/seat"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// leastOps is the number of operations that the change of a member takes at least: the member, its marker and the
// entry of the log.
const leastOps = 3

// commitAll publishes members in transactions. A transaction that turns out too large was encoded in vain, so each
// begins with as many members as would have fitted the one before.
func (p *publication) commitAll(ctx context.Context, all []*Change) error {
	for next := store.MaxTransactOps / leastOps; len(all) > 0; {
		n, fit, err := p.commit(ctx, all, next)
		if err != nil {
			return err
		}
		all, next = all[n:], fit
	}
	return nil
}

// commit publishes as many members as fit one transaction, at least one and at most the given number unless two belong
// together, and returns their number, and how many like them would fit.
func (p *publication) commit(ctx context.Context, all []*Change, most int) (n, fit int, err error) {
	least := 1
	if len(all) > 1 && all[1].previous != nil {
		least = 2
	}
	for n = min(len(all), most); ; n = min(n-1, fit) {
		if n < len(all) && n > 0 && all[n].previous != nil {
			n-- // a member that takes a place is published together with the one that had it
		}
		n = max(n, least)
		tx, after := p.transaction(all[:n])
		if fit = fitting(n, tx); n > least && fit < n {
			continue
		}
		if tx.Room() < 0 {
			return n, fit, p.large(ctx, all[:n])
		}
		if err := tx.Commit(ctx, p.ts); err != nil {
			return 0, 0, err
		}
		p.take(after, all[:n])
		return n, fit, nil
	}
}

// fitting is the number of members that fit one transaction if they are like the n of tx, which has one operation, of
// the log's head, that does not grow with them.
func fitting(n int, tx *store.Tx) int {
	byCount := n * (store.MaxTransactOps - 1) / max(tx.Len()-1, 1)
	return min(byCount, n*(store.MaxTransactBytes*3/4)/max(tx.Bytes(), 1))
}

// outcome is the state after a transaction.
type outcome struct {
	head  eventlog.Head
	pools map[*seat.Pool]seat.State
	marks bool // others are marked
}

// take notes that a transaction is committed.
func (p *publication) take(o outcome, all []*Change) {
	for _, c := range all {
		if c.then != nil {
			c.then()
		}
	}
	p.head, p.marks = o.head, p.marks || o.marks
	for pool, state := range o.pools {
		pool.State, pool.Stored = state, true
	}
}

// transaction makes the transaction that publishes members.
func (p *publication) transaction(all []*Change) (*store.Tx, outcome) {
	var tx store.Tx
	var entries []eventlog.Entry
	made, marks := map[mapping.TargetKey]bool{}, marksOf(all)
	for _, c := range all {
		put, remove := record.Reindex(p.ts.Keys, c.old, c.next)
		tx.Add(put...)
		tx.Add(remove...)
		for _, op := range slices.Concat(p.trace(c), c.also) {
			tx.Must(op, store.ErrStale)
		}
		tx.Must(c.unmark(p, marks[c.id]), store.ErrStale)
		for _, key := range c.makes {
			if !made[key] {
				made[key] = true
				entries = append(entries, record.MakeTarget(&tx, p.ts.Keys, key, p.now, c.marker.Cause))
			}
		}
		c.place, entries = len(entries), append(entries, c.entry(p.now))
	}
	links := p.head.Links(p.t.Retention, entries...)
	for _, c := range all {
		c.write(&tx, p.ts.Keys, links[c.place], nil)
		puts, removes := c.byHand(p.ts.Keys)
		tx.Add(slices.Concat(puts, removes)...)
	}
	after := p.behind(&tx, all, entries)
	return &tx, after
}

// marksOf are the members to be evaluated again after some changes.
func marksOf(all []*Change) map[string]bool {
	marks := map[string]bool{}
	for _, c := range all {
		for _, id := range c.marks {
			marks[id] = true
		}
	}
	return marks
}

// behind appends the writes that follow from changes of members: seats, markers of others, the log.
func (p *publication) behind(tx *store.Tx, all []*Change, entries []eventlog.Entry) outcome {
	before := tx.Len()
	told, pools := p.reseat(tx, all)
	marked := map[string]bool{}
	for _, c := range all {
		marked[c.id] = true // unmark has done it
	}
	for _, c := range all {
		for _, id := range c.marks {
			if !marked[id] {
				marked[id] = true
				tx.Add(marker.Mark(p.ts.Keys, marker.Subject{Kind: marker.User, ID: id}, c.marker.Cause, p.now))
			}
		}
	}
	head, ops := p.head.Append(p.ts.Keys, p.t.Retention, append(entries, told...)...)
	tx.Must(ops[0], store.ErrStale)
	tx.Add(ops[1:]...)
	marks := slices.ContainsFunc(tx.Ops()[before:], func(op store.Op) bool { return op.Set[store.AttrWake] != nil })
	return outcome{head, pools, marks || len(marksOf(all)) > 0}
}

// write appends the member's item, on the version that was read. entry is the entry of the log about the change; stale
// are lookups that are still to be removed.
func (c *Change) write(tx *store.Tx, k store.Keys, entry eventlog.Link, stale []string) {
	cond := store.IsAbsent()
	if c.old != nil {
		cond = store.Is(record.AttrVer, c.old.Version)
	}
	attrs := store.Attrs{record.AttrDoc: c.next.Encode(), record.AttrVer: c.next.Version, record.AttrLast: entry.Last}
	if entry.Until > 0 {
		attrs[record.AttrUntil] = entry.Until
	}
	if len(stale) > 0 {
		attrs[record.AttrStale] = record.EncodeList(stale)
	}
	if c.next.Erased && c.logged.Last > 0 {
		attrs[record.AttrErasing] = c.logged.Last
	}
	// The item leads to the entries of the log, so it does not end before they do. If the user is there, it would be
	// published again.
	if c.next.Status == record.Removed && c.person.Doc == nil && entry.Until > 0 {
		attrs[store.AttrTTL] = c.next.End(entry)
	}
	tx.Must(store.PutItem(k.Published(c.id), attrs).When(cond), store.ErrStale)
}

// byHand are the writes of manual assignments: the member gets those of the member that it replaces, and loses those
// that end.
func (c *Change) byHand(k store.Keys) (puts, removes []store.Op) {
	brought := map[mapping.TargetKey]bool{}
	for _, m := range c.brings {
		brought[m.TargetKey] = true
		if !slices.ContainsFunc(c.ended, func(e mapping.Manual) bool { return e.TargetKey == m.TargetKey }) {
			key := k.Manual(c.id, m.Kind, m.Organisation, m.Name)
			puts = append(puts, store.PutItem(key, store.Attrs{record.AttrAt: m.Since}))
		}
	}
	for _, m := range c.ended {
		if !brought[m.TargetKey] {
			removes = append(removes, store.RemoveItem(k.Manual(c.id, m.Kind, m.Organisation, m.Name)))
		}
	}
	return puts, removes
}

// end gives the item of a member an end whose user was deleted after the member was removed.
func (p *publication) end(ctx context.Context, sub *subject) error {
	removed := sub.old != nil && sub.old.Status == record.Removed
	if !removed || sub.person.Doc != nil || !sub.endless || sub.logged.Until == 0 {
		return nil
	}
	err := p.ts.Write(ctx, store.Op{
		Kind: store.Update, Key: p.ts.Published(sub.id), Set: store.Attrs{store.AttrTTL: sub.old.End(sub.logged)},
		If: []store.Cond{store.Is(record.AttrVer, sub.old.Version)},
	})
	var failed *store.ConditionError
	if errors.As(err, &failed) {
		return store.ErrStale
	}
	return err
}

// entry returns the entry of the log about the change.
func (c *Change) entry(now time.Time) eventlog.Entry {
	e := eventlog.Entry{
		Subject: record.LogSubject(c.id), SubjectVersion: c.next.Version, At: now, Cause: c.marker.Cause,
		Shared: scim.Object{"member": c.next.InLog()}, Before: c.logged,
	}
	for _, t := range c.told {
		e.Events = append(e.Events, eventlog.Logged{Type: t.Kind, Data: t.Data})
	}
	return e
}

// large publishes a member, or two of whom one takes the other's place, whose lookups or manual assignments do not fit
// one transaction. New lookups are written before: they lead to a member that does not match, which readers leave out.
// Old ones are named in the member's item and removed after the transaction, by the next publication if this process
// dies: the marker stays until then. So are the manual assignments of one who is removed. Others begin and end before:
// if this process dies, the next publication comes to the same.
func (p *publication) large(ctx context.Context, all []*Change) error {
	stale := make([][]string, len(all))
	var made []store.Op
	var entries []eventlog.Entry
	for i, c := range all {
		put, remove := record.Reindex(p.ts.Keys, c.old, c.next)
		for _, op := range remove {
			stale[i] = append(stale[i], op.SK)
		}
		begin, end := c.byHand(p.ts.Keys)
		if c.next.Status != record.Removed {
			begin = append(begin, end...)
		}
		if err := p.ts.Batch(ctx, append(put, begin...)...); err != nil {
			return err
		}
		for _, key := range c.makes {
			var tx store.Tx
			entries = append(entries, record.MakeTarget(&tx, p.ts.Keys, key, p.now, c.marker.Cause))
			made = append(made, tx.Ops()...)
		}
	}
	if err := p.makeAhead(ctx, made, entries); err != nil {
		return err
	}
	entries = nil
	var tx store.Tx
	for _, c := range all {
		entries = append(entries, c.entry(p.now))
	}
	links, marks := p.head.Links(p.t.Retention, entries...), marksOf(all)
	for i, c := range all {
		c.write(&tx, p.ts.Keys, links[i], stale[i])
		for _, op := range slices.Concat(p.trace(c), c.also) {
			tx.Must(op, store.ErrStale)
		}
		if !c.leaves(stale[i]) || c.next.Erased || marks[c.id] {
			tx.Must(c.unmark(p, marks[c.id]), store.ErrStale)
		}
	}
	after := p.behind(&tx, all, entries)
	if err := tx.Commit(ctx, p.ts); err != nil {
		return err
	}
	p.take(after, all)
	for i, c := range all {
		if c.leaves(stale[i]) && !c.next.Erased && !marks[c.id] {
			next := c.next
			rest := &subject{id: c.id, marker: c.marker, old: &next, stale: stale[i], manual: c.manual}
			if err := p.settle(ctx, rest); err != nil {
				return err
			}
		}
	}
	return nil
}

// leaves reports whether a large change leaves anything to remove after its transaction.
func (c *Change) leaves(stale []string) bool {
	return len(stale) > 0 || c.next.Status == record.Removed && len(c.ended) > 0
}

// makeAhead makes targets, a few at a time: they may be there before their first assignment is. entries announce each.
func (p *publication) makeAhead(ctx context.Context, made []store.Op, entries []eventlog.Entry) error {
	for len(made) > 0 {
		n := min(len(made), 20)
		head, ops := p.head.Append(p.ts.Keys, p.t.Retention, entries[:n]...)
		var tx store.Tx
		tx.Must(ops[0], store.ErrStale)
		tx.Add(ops[1:]...)
		for _, op := range made[:n] {
			tx.Must(op, store.ErrStale)
		}
		if err := tx.Commit(ctx, p.ts); err != nil {
			return err
		}
		p.head, made, entries = head, made[n:], entries[n:]
	}
	return nil
}
