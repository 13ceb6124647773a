package publish

import (
	"context"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/explain"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/seat"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// seating decides who of the subjects gets which seats.
func (s *Publisher) seating(ctx context.Context, p *publication, carried map[mapping.TargetKey]int64) error {
	wanted := map[mapping.TargetKey]bool{}
	for _, sub := range p.subjects {
		for key := range p.seatsOf(sub) {
			wanted[key] = true
		}
	}
	p.pools = map[mapping.TargetKey]*seat.Pool{}
	for _, key := range record.SortedKeys(wanted) {
		pool, err := seat.Read(ctx, p.ts, p.policy, p.version, key)
		if err != nil {
			return err
		}
		pool.Planned += carried[key]
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
			i = explain.Find(sub.result.Assignments, key)
		}
		switch {
		case had && i < 0:
			sub.takes[key]--
			pool.Planned--
		case !had && i >= 0:
			place := sub.place(key, sub.result.Assignments[i].Since, p.now)
			if pool.Serves(place) {
				sub.takes[key]++
				pool.Planned++
				pool.Waiting = slices.DeleteFunc(pool.Waiting, func(w record.Waiting) bool { return w.ID == sub.id })
				continue
			}
			pool.Crowded = true
			sub.waits = append(sub.waits, place)
			sub.withdraw(i)
		}
	}
}

// place returns the place of a subject in the queue of a pool. It is ordered by since, the stored time of the
// assignment's source in milliseconds, which survives a PUT and a repeated add. If since is 0, the order is by the time
// from which the subject waits.
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

// reseat appends the writes of seats that some changes need: the pools, the queues, and markers of the pools of
// which members can be served. It returns the events of shortages, and the pools as they are after the
// transaction.
func (p *publication) reseat(tx *store.Tx, all []*Change) ([]eventlog.Entry, map[*seat.Pool]seat.State) {
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
	states := map[*seat.Pool]seat.State{}
	for _, key := range record.SortedKeys(concerned) {
		pool := p.pools[key]
		if pool == nil {
			continue // the kind has no seats any more
		}
		state := pool.State
		if takes[key] != 0 || moved[key] {
			var entry []eventlog.Entry
			entry, state = pool.Resize(tx, p.ts.Keys, takes[key], p.now, cause)
			entries = append(entries, entry...)
			states[pool] = state
		}
		if pool.Crowded && pool.Size > state.Used {
			tx.Add(marker.Mark(
				p.ts.Keys, marker.Subject{Kind: marker.Seat, ID: record.Joined(key)}, eventlog.Cause{}, p.now,
			))
		}
	}
	return entries, states
}
