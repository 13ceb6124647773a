package seat

import (
	"context"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
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
//   - A transaction marks the pool if a seat is free after it, and anybody may wait. It does so if it
//     takes or frees seats, puts a member into the queue or out of it, or ends the marker of one who
//     waits. It counts the seats as stored after it, not as planned by its publication: that may fail.
//   - A change of the size marks the pool with the change. A change of the policy marks everybody.
//   - The review of a pool marks the members who are next, and only then ends the marker of the pool, if
//     that is still the one that it read before anything else.
//   - The marker of a member to whom nothing happens ends after all transactions of its publication, on
//     its stamp. If any of those, or another process, frees a seat, a review marks the member again.
//   - Values that a publication has read can't change unseen. Its transactions have the head of the log and the
//     version of the pool as conditions, and change both; a review changes the version. The size is read
//     after the pool: whoever read an older size has a version from before the review of the newer one,
//     and can't put anybody into the queue.

// Event types of seats.
const (
	eventShortage      = "licence.shortage"
	eventShortageEnded = "licence.shortage-ended"
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

// Pool are the seats of a target in one publication.
type Pool struct {
	Key    mapping.TargetKey
	mode   string // of the kind: purchase or wait
	Size   int64
	Stored bool
	State
	// Planned is Used after the changes that are worked out so far.
	Planned int64
	// Waiting are the first members in the queue, without those who got a seat since; last is the last one that was
	// read, if there are more.
	Waiting []record.Waiting
	last    *record.Waiting
	// Crowded says that anybody may be in the queue, before or after the publication.
	Crowded bool
}

// State is the stored state of a pool.
type State struct {
	version, Used int64
	high          int64 // the highest shortage that was announced; 0: none
	policy        int64 // the version of the policy under which the seats in use were counted
}

// Missing is the number of seats that are used beyond the size.
func (p *Pool) Missing(used int64) int64 {
	if p.Size == record.Unbounded || p.mode != seatsPurchase {
		return 0
	}
	return max(used-p.Size, 0)
}

// free is the number of seats that can still be given; a large number if there is no bound.
func (p *Pool) free() int64 {
	if p.Size == record.Unbounded {
		return 1 << 40
	}
	return p.Size - p.Planned
}

// Serves reports whether a member at this place of the queue gets a seat: if there are more free ones than members wait
// in front.
func (p *Pool) Serves(w record.Waiting) bool {
	if p.mode == seatsPurchase || p.Size == record.Unbounded {
		return true
	}
	if p.last != nil && p.last.Compare(w) < 0 {
		return false // too many are in front to know
	}
	var before int64
	for _, other := range p.Waiting {
		if other.ID != w.ID && other.Compare(w) < 0 {
			before++
		}
	}
	return before < p.free()
}

// Used fills in how many seats of targets are in use.
func Used(ctx context.Context, ts *store.TenantStore, targets []record.Target) error {
	keys, at := []store.Key(nil), []int(nil)
	for i, t := range targets {
		if t.Seats != record.Unbounded {
			keys, at = append(keys, ts.Pool(t.Kind, t.Organisation, t.Name)), append(at, i)
		}
	}
	items, err := ts.Get(ctx, keys...)
	for i, item := range items {
		targets[at[i]].Used, _ = item.Attrs[attrUsed].(int64)
	}
	return err
}

// Queued is the number of members at the front of a queue that a publication reads.
const Queued = 200

// Read reads the seats of a target. Under a policy that they were not counted under, they are counted.
func Read(
	ctx context.Context, ts *store.TenantStore, policy *mapping.Policy, version int64, key mapping.TargetKey,
) (*Pool, error) {
	items, err := ts.Get(ctx, ts.Pool(key.Kind, key.Organisation, key.Name))
	if err != nil {
		return nil, err
	}
	sizes, err := ts.Get(ctx, record.TargetKey(ts.Keys, key)) // not before the pool
	if err != nil {
		return nil, err
	}
	out := &Pool{Key: key, mode: policy.Kinds[key.Kind].Seats, Size: record.Unbounded, Stored: items[0].Attrs != nil}
	if sizes[0].Attrs != nil {
		out.Size = record.DecodeTarget(sizes[0]).Seats
	}
	out.version, _ = items[0].Attrs[record.AttrVer].(int64)
	out.Used, _ = items[0].Attrs[attrUsed].(int64)
	out.high, _ = items[0].Attrs[attrHigh].(int64)
	out.policy, _ = items[0].Attrs[attrPolicy].(int64)
	if !out.Stored || out.policy != version {
		if out.Used, err = holding(ctx, ts, key); err != nil {
			return nil, err
		}
		out.policy = version
	}
	out.Planned = out.Used
	if out.mode == seatsWait && out.Size != record.Unbounded {
		out.Waiting, err = queue(ctx, ts, key, Queued)
		if n := len(out.Waiting); n == Queued {
			last := out.Waiting[n-1]
			out.last = &last
		}
		out.Crowded = len(out.Waiting) > 0
	}
	return out, err
}

// chunk is the number of members that are read at a time to count them.
const chunk = 200

// holding counts the members who have a target.
func holding(ctx context.Context, ts *store.TenantStore, key mapping.TargetKey) (n int64, err error) {
	l := record.Holders(key)
	for after := ""; ; {
		var page record.List
		if err := l.Walk(ctx, ts, after, chunk, &page); err != nil {
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

// Resize appends the operation that changes the number of seats in use, and returns the event of a shortage that is
// higher than any before, or has ended.
func (p *Pool) Resize(tx *store.Tx, k store.Keys, by int64, now time.Time, cause eventlog.Cause) (
	[]eventlog.Entry, State,
) {
	state := p.State
	state.Used += by
	state.version++
	missing, kind := p.Missing(state.Used), ""
	switch {
	case missing > state.high:
		kind, state.high = eventShortage, missing
	case missing == 0 && state.high > 0:
		kind, state.high = eventShortageEnded, 0
	}
	cond := store.IsAbsent()
	if p.Stored {
		cond = store.Is(record.AttrVer, p.version)
	}
	key := p.Key
	tx.Must(store.PutItem(k.Pool(key.Kind, key.Organisation, key.Name), store.Attrs{
		record.AttrVer: state.version, attrUsed: state.Used, attrHigh: state.high, attrPolicy: state.policy,
	}).When(cond), store.ErrStale)
	if kind == "" {
		return nil, state
	}
	data := scim.Object{"kind": key.Kind, "target": key.Name, "size": p.Size, "used": state.Used, "missing": missing}
	if key.Organisation != "" {
		data["organisation"] = key.Organisation
	}
	return []eventlog.Entry{{
		Subject: "targets/" + key.Kind + "/" + key.Name, SubjectVersion: state.version, At: now, Cause: cause,
		Events: []eventlog.Logged{{Type: kind, Data: data}},
	}}, state
}

// Next are the members at the front of the queue for whom there are free seats, as far as the queue was read.
func (p *Pool) Next() []string {
	n := min(int64(len(p.Waiting)), max(p.free(), 0))
	ids := make([]string, n)
	for i := range ids {
		ids[i] = p.Waiting[i].ID
	}
	return ids
}
