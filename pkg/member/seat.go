package member

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A target of a kind with seats is a pool: so many active members have it as it has seats. The number of seats in use
// is kept in an item of its own. Each publication that changes it also changes the head of the log, so two of them
// never count on one state. Members who wait for a seat have an item each, in the order in which they are served.
//
// Nobody waits while a seat is free, since each state with a free seat and a member in the queue has a
// marker of the pool, or a marker of each member who is next:
//
//   - A transaction marks the pool if a seat is free behind it, and anybody may wait. It does so if it
//     takes or frees seats, puts a member into the queue or out of it, or ends the marker of one who
//     waits. It counts what is stored behind it, not what its publication has planned: that may fail.
//   - A change of the size marks the pool with the change. A change of the policy marks everybody.
//   - The review of a pool marks the members who are next, and only then ends the marker of the pool, if
//     that is still the one that it read before anything else.
//   - The marker of a member to whom nothing happens ends behind all transactions of its publication, on
//     its stamp. If any of those, or another process, frees a seat, a review marks the member anew.
//   - What a publication has read can't change unseen. Its transactions have the head of the log and the
//     version of the pool as conditions, and change both; a review changes the version. The size is read
//     behind the pool: whoever read an older size has a version from before the review of the newer one,
//     and can't put anybody into the queue.

// Event types of seats.
const (
	EventShortage      = "licence.shortage"
	EventShortageEnded = "licence.shortage-ended"
)

const (
	seatsPurchase = "purchase"
	seatsWait     = "wait"
)

// The attributes of a pool.
const (
	attrUsed   = "used"
	attrHigh   = "high"
	attrPolicy = "policy"
)

// pool are the seats of a target in one publication.
type pool struct {
	key    mapping.TargetKey
	mode   string // of the kind: purchase or wait
	size   int64
	stored bool
	poolState
	// planned is used behind the changes that are worked out so far.
	planned int64
	// waiting are the first members in the queue, without those who got a seat since; last is the last one that was
	// read, if there are more.
	waiting []record.Waiting
	last    *record.Waiting
	// crowded says that anybody may be in the queue, before or behind the publication.
	crowded bool
}

// poolState is what is stored of a pool.
type poolState struct {
	version, used int64
	high          int64 // the highest shortage that was announced; 0: none
	policy        int64 // the version of the policy under which the seats in use were counted
}

// missing is how many seats are used beyond the size.
func (p *pool) missing(used int64) int64 {
	if p.size == record.Unbounded || p.mode != seatsPurchase {
		return 0
	}
	return max(used-p.size, 0)
}

// free is how many seats can still be given; a large number if there is no bound.
func (p *pool) free() int64 {
	if p.size == record.Unbounded {
		return 1 << 40
	}
	return p.size - p.planned
}

// serves reports whether a member at this place of the queue gets a seat: if there are more free ones than members wait
// in front.
func (p *pool) serves(w record.Waiting) bool {
	if p.mode == seatsPurchase || p.size == record.Unbounded {
		return true
	}
	if p.last != nil && p.last.Compare(w) < 0 {
		return false // too many are in front to know
	}
	var before int64
	for _, other := range p.waiting {
		if other.ID != w.ID && other.Compare(w) < 0 {
			before++
		}
	}
	return before < p.free()
}

// seating decides who of the subjects gets which seats.
func (s *Service) seating(ctx context.Context, p *publication, carried map[mapping.TargetKey]int64) error {
	wanted := map[mapping.TargetKey]bool{}
	for _, sub := range p.subjects {
		for key := range p.seatsOf(sub) {
			wanted[key] = true
		}
	}
	p.pools = map[mapping.TargetKey]*pool{}
	for _, key := range record.SortedKeys(wanted) {
		pool, err := s.pool(ctx, p, key)
		if err != nil {
			return err
		}
		pool.planned += carried[key]
		p.pools[key] = pool
	}
	for _, sub := range p.subjects {
		p.seat(sub)
	}
	return nil
}

// seatsOf are the pools that a subject has a seat of, wants one of, or waits for.
func (p *publication) seatsOf(sub *subject) map[mapping.TargetKey]bool {
	keys := map[mapping.TargetKey]bool{}
	add := func(key mapping.TargetKey) {
		if p.policy.Kinds[key.Kind].Seats != "" {
			keys[key] = true
		}
	}
	if sub.old != nil {
		for _, a := range sub.old.Assignments {
			add(a.TargetKey)
		}
		for _, w := range sub.old.Waiting {
			add(w.TargetKey)
		}
	}
	if sub.result != nil {
		for _, a := range sub.result.Assignments {
			add(a.TargetKey)
		}
	}
	return keys
}

// seat gives a subject its seats, takes back those that it does not want any more, and puts it into the queues of those
// that it has to wait for.
func (p *publication) seat(sub *subject) {
	sub.takes = map[mapping.TargetKey]int64{}
	for _, key := range record.SortedKeys(p.seatsOf(sub)) {
		pool := p.pools[key]
		had := sub.old != nil && record.Find(sub.old.Assignments, key) >= 0
		i := -1
		if sub.result != nil {
			i = findAssignment(sub.result.Assignments, key)
		}
		switch {
		case had && i < 0:
			sub.takes[key]--
			pool.planned--
		case !had && i >= 0:
			place := sub.place(key, sub.result.Assignments[i].Since, p.now)
			if pool.serves(place) {
				sub.takes[key]++
				pool.planned++
				pool.waiting = slices.DeleteFunc(pool.waiting, func(w record.Waiting) bool { return w.ID == sub.id })
				continue
			}
			pool.crowded = true
			sub.waits = append(sub.waits, place)
			sub.withdraw(i)
		}
	}
}

// place is the place of a subject in the queue of a pool: by the stored time of what gives the seat, which survives a
// PUT and a repeated add, or since it waits.
func (sub *subject) place(key mapping.TargetKey, since int64, now time.Time) record.Waiting {
	if since == 0 {
		since = now.UnixMilli()
		if sub.old != nil {
			for _, w := range sub.old.Waiting {
				if w.TargetKey == key {
					since = w.Since
				}
			}
		}
	}
	return record.Waiting{TargetKey: key, Since: since, ID: sub.id}
}

// withdraw takes an assignment from the result of an evaluation, for want of a seat.
func (sub *subject) withdraw(i int) {
	r := *sub.result // the evaluation's own stays as it is
	a := r.Assignments[i]
	r.Assignments = slices.Delete(slices.Clone(r.Assignments), i, i+1)
	m := mapping.Missing{
		TargetKey: a.TargetKey, Membership: -1, Nested: -1, Reason: mapping.NoSeat,
		Detail: "All seats of " + a.Kind + " " + scim.Quote(a.Name) + " are taken; it will be given once one is free.",
	}
	r.Missing = slices.Clone(r.Missing)
	for _, source := range a.Sources {
		m.Rule, m.Membership = source.Rule, source.Membership
		r.Missing = append(r.Missing, m)
	}
	if len(a.Sources) == 0 {
		r.Missing = append(r.Missing, m)
	}
	sub.result = &r
}

// queued is how many members at the front of a queue a publication looks at.
const queued = 200

// pool reads the seats of a target. Under a policy that they were not counted under, they are counted.
func (s *Service) pool(ctx context.Context, p *publication, key mapping.TargetKey) (*pool, error) {
	items, err := p.ts.Get(ctx, p.ts.Pool(key.Kind, key.Organisation, key.Name))
	if err != nil {
		return nil, err
	}
	sizes, err := p.ts.Get(ctx, record.TargetKey(p.ts.Keys, key)) // not before the pool
	if err != nil {
		return nil, err
	}
	out := &pool{key: key, mode: p.policy.Kinds[key.Kind].Seats, size: record.Unbounded, stored: items[0].Attrs != nil}
	if sizes[0].Attrs != nil {
		out.size = record.DecodeTarget(sizes[0]).Seats
	}
	out.version, _ = items[0].Attrs[record.AttrVer].(int64)
	out.used, _ = items[0].Attrs[attrUsed].(int64)
	out.high, _ = items[0].Attrs[attrHigh].(int64)
	out.policy, _ = items[0].Attrs[attrPolicy].(int64)
	if !out.stored || out.policy != p.version {
		if out.used, err = s.holding(ctx, p.ts, key); err != nil {
			return nil, err
		}
		out.policy = p.version
	}
	out.planned = out.used
	if out.mode == seatsWait && out.size != record.Unbounded {
		out.waiting, err = queue(ctx, p.ts, key, queued)
		if n := len(out.waiting); n == queued {
			last := out.waiting[n-1]
			out.last = &last
		}
		out.crowded = len(out.waiting) > 0
	}
	return out, err
}

// holding counts the members who have a target.
func (s *Service) holding(ctx context.Context, ts *store.TenantStore, key mapping.TargetKey) (n int64, err error) {
	l := record.Holders(key)
	for after := ""; ; {
		var page record.List
		if err := l.Walk(ctx, ts, after, passChunk, &page); err != nil {
			return 0, err
		}
		n += int64(len(page.Members))
		if after = page.Next; after == "" {
			return n, nil
		}
	}
}

// queue reads the members in front of the queue of a pool.
func queue(ctx context.Context, ts *store.TenantStore, key mapping.TargetKey, most int) ([]record.Waiting, error) {
	prefix := ts.SeatQueuePrefix(key.Kind, key.Organisation, key.Name)
	page, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: most, Select: store.KeysOnly})
	if err != nil {
		return nil, err
	}
	all := make([]record.Waiting, 0, len(page.Items))
	for _, item := range page.Items {
		parts := store.Split(item.SK)
		since, err := strconv.ParseInt(parts[len(parts)-2], 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, record.Waiting{TargetKey: key, Since: since, ID: parts[len(parts)-1]})
	}
	return all, nil
}

// reseat appends what some changes do to seats: the pools, the queues, and markers of the pools of which members can be
// served. It returns the events of shortages, and the pools as they are behind the transaction.
func (p *publication) reseat(tx *store.Tx, all []*change) ([]eventlog.Entry, map[*pool]poolState) {
	takes, moved, concerned := map[mapping.TargetKey]int64{}, map[mapping.TargetKey]bool{}, map[mapping.TargetKey]bool{}
	var cause eventlog.Cause
	for _, c := range all {
		cause = c.marker.Cause
		for key, n := range c.takes {
			takes[key] += n
			concerned[key] = true
		}
		if c.old != nil {
			for _, w := range c.old.Waiting {
				if !slices.Contains(c.waits, w) {
					moved[w.TargetKey], concerned[w.TargetKey] = true, true
					tx.Add(store.RemoveItem(w.Key(p.ts.Keys)))
				}
			}
		}
		for _, w := range c.waits {
			concerned[w.TargetKey] = true
			if c.old == nil || !slices.Contains(c.old.Waiting, w) {
				moved[w.TargetKey] = true
				tx.Add(store.PutItem(w.Key(p.ts.Keys), nil))
			}
		}
	}
	var entries []eventlog.Entry
	states := map[*pool]poolState{}
	for _, key := range record.SortedKeys(concerned) {
		pool := p.pools[key]
		if pool == nil {
			continue // the kind has no seats any more
		}
		state := pool.poolState
		if takes[key] != 0 || moved[key] {
			var entry []eventlog.Entry
			entry, state = p.resize(tx, pool, takes[key], cause)
			entries = append(entries, entry...)
			states[pool] = state
		}
		if pool.crowded && pool.size > state.used {
			tx.Add(marker.Mark(
				p.ts.Keys, marker.Subject{Kind: marker.Seat, ID: record.Joined(key)}, eventlog.Cause{}, p.now,
			))
		}
	}
	return entries, states
}

// resize appends the operation that changes the number of seats in use, and returns the event of a shortage that is
// higher than any before, or has ended.
func (p *publication) resize(tx *store.Tx, pool *pool, by int64, cause eventlog.Cause) (
	[]eventlog.Entry, poolState,
) {
	state := pool.poolState
	state.used += by
	state.version++
	missing, kind := pool.missing(state.used), ""
	switch {
	case missing > state.high:
		kind, state.high = EventShortage, missing
	case missing == 0 && state.high > 0:
		kind, state.high = EventShortageEnded, 0
	}
	cond := store.IsAbsent()
	if pool.stored {
		cond = store.Is(record.AttrVer, pool.version)
	}
	k := pool.key
	tx.Must(store.PutItem(p.ts.Pool(k.Kind, k.Organisation, k.Name), store.Attrs{
		record.AttrVer: state.version, attrUsed: state.used, attrHigh: state.high, attrPolicy: state.policy,
	}).When(cond), store.ErrStale)
	if kind == "" {
		return nil, state
	}
	data := scim.Object{"kind": k.Kind, "target": k.Name, "size": pool.size, "used": state.used, "missing": missing}
	if k.Organisation != "" {
		data["organisation"] = k.Organisation
	}
	return []eventlog.Entry{{
		Subject: "targets/" + k.Kind + "/" + k.Name, SubjectVersion: state.version, At: p.now, Cause: cause,
		Events: []eventlog.Logged{{Type: kind, Data: data}},
	}}, state
}

// review does what a pool's marker makes due: it tells of a shortage that has ended or grown, and marks
// those who can be served. Then it ends the marker, unless there may be more of them than it marks at
// once: they are next once these are served.
func (s *Service) review(ctx context.Context, t Tenant, m marker.Marker) error {
	err := store.Retry(ctx, contendFor, func() error {
		p, err := s.headOf(ctx, t)
		if err != nil {
			return err
		}
		var tx store.Tx
		tx.Must(m.Done(), errEnded)
		key := record.SplitTarget(m.Subject.ID)
		if p.policy.Kinds[key.Kind].Seats != "" {
			pool, err := s.pool(ctx, p, key)
			if err != nil {
				return err
			}
			next := pool.next()
			if err := s.markAll(ctx, p.ts, next, eventlog.Cause{}); err != nil || len(next) == queued {
				return err
			}
			entries, _ := p.resize(&tx, pool, 0, m.Cause)
			if len(entries) > 0 {
				_, ops := p.head.Append(p.ts.Keys, t.Retention, entries...)
				tx.Must(ops[0], store.ErrStale)
				tx.Add(ops[1:]...)
			}
		}
		return tx.Commit(ctx, p.ts)
	})
	return ignoreEnded(err)
}

// headOf is a publication of nobody: it has the head of the log and the policy.
func (s *Service) headOf(ctx context.Context, t Tenant) (*publication, error) {
	p := &publication{t: t, ts: s.store.Tenant(t.ID), now: s.o.Now().UTC()}
	items, err := p.ts.Get(ctx, p.ts.LogHead())
	if err != nil {
		return nil, err
	}
	p.head = eventlog.DecodeHead(items[0])
	p.policy, p.version, err = s.policyOf(ctx, t)
	return p, err
}

// next are the members at the front of the queue for whom there are free seats, as far as the queue was read.
func (p *pool) next() []string {
	n := min(int64(len(p.waiting)), max(p.free(), 0))
	ids := make([]string, n)
	for i := range ids {
		ids[i] = p.waiting[i].ID
	}
	return ids
}
