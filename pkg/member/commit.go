package member

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// commit publishes as many members as fit one transaction, at least one, and returns their number.
func (p *publication) commit(ctx context.Context, all []*change) (int, error) {
	least := 1
	if len(all) > 1 && all[1].previous != nil {
		least = 2
	}
	for n := len(all); ; n = max((n+1)/2, least) {
		if n < len(all) && all[n].previous != nil {
			n-- // whoever takes a place is published together with the one who had it
		}
		n = max(n, least)
		tx, after := p.transaction(all[:n])
		if n > least && (tx.Room() < 0 || tx.Bytes() > store.MaxTransactBytes*3/4) {
			continue
		}
		if tx.Room() < 0 {
			return n, p.large(ctx, all[:n])
		}
		if err := tx.Commit(ctx, p.ts); err != nil {
			return 0, err
		}
		p.take(after, all[:n])
		return n, nil
	}
}

// outcome is what holds behind a transaction.
type outcome struct {
	head  eventlog.Head
	pools map[*pool]poolState
	marks bool // others are marked
}

// take notes that a transaction is committed.
func (p *publication) take(o outcome, all []*change) {
	for _, c := range all {
		if c.then != nil {
			c.then()
		}
	}
	p.head, p.marks = o.head, p.marks || o.marks
	for pool, state := range o.pools {
		pool.poolState, pool.stored = state, true
	}
}

// transaction makes the transaction that publishes members.
func (p *publication) transaction(all []*change) (*store.Tx, outcome) {
	var tx store.Tx
	var entries []eventlog.Entry
	made, marks := map[mapping.TargetKey]bool{}, marksOf(all)
	for _, c := range all {
		put, remove := reindex(p.ts.Keys, c.old, c.next)
		tx.Add(put...)
		tx.Add(remove...)
		for _, op := range slices.Concat(p.trace(c), c.also) {
			tx.Must(op, store.ErrStale)
		}
		tx.Must(c.unmark(p, marks[c.id]), store.ErrStale)
		for _, key := range c.makes {
			if !made[key] {
				made[key] = true
				entries = append(entries, makeTarget(&tx, p.ts.Keys, key, p.now, c.marker.cause))
			}
		}
		c.place, entries = len(entries), append(entries, c.entry(p.now))
	}
	links := p.head.Links(p.t.Retention, entries...)
	for _, c := range all {
		c.write(&tx, p.ts.Keys, links[c.place], nil)
	}
	after := p.behind(&tx, all, entries)
	return &tx, after
}

// marksOf are the members who are to be looked at behind some changes.
func marksOf(all []*change) map[string]bool {
	marks := map[string]bool{}
	for _, c := range all {
		for _, id := range c.marks {
			marks[id] = true
		}
	}
	return marks
}

// behind appends what changes of members bring about beside: seats, markers of others, the log.
func (p *publication) behind(tx *store.Tx, all []*change, entries []eventlog.Entry) outcome {
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
				tx.Add(Mark(p.ts.Keys, Subject{UserSubject, id}, c.marker.cause, p.now))
			}
		}
	}
	head, ops := p.head.Append(p.ts.Keys, p.t.Retention, append(entries, told...)...)
	tx.Must(ops[0], store.ErrStale)
	tx.Add(ops[1:]...)
	marks := slices.ContainsFunc(tx.Ops()[before:], func(op store.Op) bool { return op.Set[store.AttrWake] != nil })
	return outcome{head, pools, marks || len(marksOf(all)) > 0}
}

// write appends the member's item, on the version that was read, and the end of manual assignments. entry is the entry
// of the log that tells of the change; stale are lookups that are still to be removed.
func (c *change) write(tx *store.Tx, k store.Keys, entry eventlog.Link, stale []string) {
	cond := store.IsAbsent()
	if c.old != nil {
		cond = store.Is(attrVer, c.old.Version)
	}
	attrs := store.Attrs{attrDoc: c.next.encode(), attrVer: c.next.Version, attrLast: entry.Last}
	if entry.Until > 0 {
		attrs[attrUntil] = entry.Until
	}
	if len(stale) > 0 {
		attrs[attrStale] = encodeList(stale)
	}
	if c.next.Erased && c.logged.Last > 0 {
		attrs[attrErasing] = c.logged.Last
	}
	// The item leads to the entries of the log, so it does not end before they do. If the user is there, it would be
	// published anew.
	if c.next.Status == Removed && c.person.Doc == nil && entry.Until > 0 {
		attrs[store.AttrTTL] = c.next.end(entry)
	}
	tx.Must(store.PutItem(k.Published(c.id), attrs).When(cond), store.ErrStale)
	brought := map[mapping.TargetKey]bool{}
	for _, m := range c.brings {
		brought[m.TargetKey] = true
		if !slices.ContainsFunc(c.ended, func(e mapping.Manual) bool { return e.TargetKey == m.TargetKey }) {
			tx.Add(store.PutItem(k.Manual(c.id, m.Kind, m.Organisation, m.Name), store.Attrs{attrAt: m.Since}))
		}
	}
	for _, m := range c.ended {
		if !brought[m.TargetKey] {
			tx.Add(store.RemoveItem(k.Manual(c.id, m.Kind, m.Organisation, m.Name)))
		}
	}
}

// keptRemoved is how long a member who was removed is shown.
const keptRemoved = 90 * 24 * time.Hour

// end is when the item of a member who was removed ends, in Unix seconds.
func (m Member) end(entry eventlog.Link) int64 {
	return max(m.ChangedAt.Add(keptRemoved).Unix(), entry.Until)
}

// end gives the item of a member an end whose user was deleted after the member was removed.
func (p *publication) end(ctx context.Context, sub *subject) error {
	if sub.old == nil || sub.old.Status != Removed || sub.person.Doc != nil || !sub.endless || sub.logged.Until == 0 {
		return nil
	}
	err := p.ts.Write(ctx, store.Op{
		Kind: store.Update, Key: p.ts.Published(sub.id), Set: store.Attrs{store.AttrTTL: sub.old.end(sub.logged)},
		If: []store.Cond{store.Is(attrVer, sub.old.Version)},
	})
	var failed *store.ConditionError
	if errors.As(err, &failed) {
		return store.ErrStale
	}
	return err
}

// forgotten reports whether a member was removed so long ago that nobody is shown it any more. Its item may be there
// for longer.
func (m Member) forgotten(now time.Time) bool {
	return m.Status == Removed && now.Sub(m.ChangedAt) >= keptRemoved
}

// entry is what the log says of the change.
func (c *change) entry(now time.Time) eventlog.Entry {
	e := eventlog.Entry{
		Subject: "members/" + c.id, SubjectVersion: c.next.Version, At: now, Cause: c.marker.cause,
		Shared: scim.Object{"member": c.next.inLog()}, Before: c.logged,
	}
	for _, t := range c.told {
		e.Events = append(e.Events, eventlog.Logged{Type: t.kind, Data: t.data})
	}
	return e
}

// large publishes a member, or two of whom one takes the other's place, whose lookups do not fit one transaction. New
// lookups are written before: they lead to a member that does not match, which readers leave out. Old ones are named in
// the member's item and removed behind the transaction, by whoever comes next if this process dies: the marker stays
// until then.
func (p *publication) large(ctx context.Context, all []*change) error {
	stale := make([][]string, len(all))
	var made []store.Op
	var entries []eventlog.Entry
	for i, c := range all {
		put, remove := reindex(p.ts.Keys, c.old, c.next)
		if err := p.ts.Batch(ctx, put...); err != nil {
			return err
		}
		for _, op := range remove {
			stale[i] = append(stale[i], op.SK)
		}
		for _, key := range c.makes {
			var tx store.Tx
			entries = append(entries, makeTarget(&tx, p.ts.Keys, key, p.now, c.marker.cause))
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
		if len(stale[i]) == 0 || c.next.Erased || marks[c.id] {
			tx.Must(c.unmark(p, marks[c.id]), store.ErrStale)
		}
	}
	if tx.Room() < 5 { // hundreds of manual assignments that end
		return errTooMany
	}
	after := p.behind(&tx, all, entries)
	if err := tx.Commit(ctx, p.ts); err != nil {
		return err
	}
	p.take(after, all)
	for i, c := range all {
		if len(stale[i]) > 0 && !c.next.Erased {
			next := c.next
			if err := p.settle(ctx, &subject{id: c.id, marker: c.marker, old: &next, stale: stale[i]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeAhead makes targets, a few at a time: they may be there before their first assignment is. entries tell of each.
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

var errTooMany = errors.New("member: too many manual assignments end at once")

func sortedKeys[V any](set map[mapping.TargetKey]V) []mapping.TargetKey {
	keys := make([]mapping.TargetKey, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

func compareKeys(a, b mapping.TargetKey) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Organisation, b.Organisation),
		cmp.Compare(a.Name, b.Name),
	)
}
