package tenant

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A tenant stands in the order of due times (store.Keys.Due) under the earliest time at which anything of it is to be
// done. The entry is moved in the same transaction as the tenant's item, so that a run finds all that is due by reading
// the beginnings of a few partitions. An entry is a hint: one that points to nothing is removed by the run that finds
// it.

// reminderStops is how long a token must have been silent, once its successor is in use, for its reminders to stop.
const reminderStops = 7 * day

// window is when the token's period of notice begins.
func (t tokenRecord) window() int64 { return t.end() - int64(t.noticeDays())*86400 }

// noticeDays is the length of its period of notice.
func (t tokenRecord) noticeDays() int {
	if t.Notice == 0 {
		return defaultNoticeDays
	}
	return t.Notice
}

// serves reports whether token j may do all that token i may.
func (r *record) serves(j, i int) bool {
	return !slices.ContainsFunc(r.Tokens[i].Scopes, func(s Scope) bool { return !slices.Contains(r.Tokens[j].Scopes, s) })
}

// left reports whether a newer live token that serves for token i was used. Who uses that does not go back to the older
// one.
func (r *record) left(i int, now time.Time) bool {
	return slices.ContainsFunc(r.live(now), func(j int) bool { return j > i && r.Tokens[j].First != 0 && r.serves(j, i) })
}

// covers reports whether token j is to take the place of token i: it serves for it, and lasts longer, or people were
// told to enter it in its place, as with a successor whose lifetime was set to be short.
func (r *record) covers(j, i int, now time.Time) bool {
	a, b := r.Tokens[j], r.Tokens[i]
	if j == i || !r.serves(j, i) || r.ready(a, now) == b.ID {
		return false
	}
	return r.ready(b, now) == a.ID || a.end() > b.end() || a.end() == b.end() && j > i
}

// ready is the live token that people were told to enter in place of t: where that one is dead, whom they were told of
// in its place. Empty where there is none.
func (r *record) ready(t tokenRecord, now time.Time) string {
	next := r.find(t.Ready)
	for range r.Tokens { // as many as there can be before one comes again
		if next != nil && !next.live(now) {
			next = r.find(next.Ready)
		}
	}
	if next == nil || !next.live(now) {
		return ""
	}
	return next.ID
}

// covered reports whether a live token covers token i, and is not one that was left already.
func (r *record) covered(i int, now time.Time) bool {
	return slices.ContainsFunc(r.live(now), func(j int) bool { return r.covers(j, i, now) && !r.left(j, now) })
}

// lasting lists the live tokens that no other covers, without those that were left already: the ones that need a
// successor once. There is one, but where tokens have different scopes.
func (r *record) lasting(now time.Time) []int {
	return slices.DeleteFunc(r.live(now), func(i int) bool { return r.left(i, now) || r.covered(i, now) })
}

// predecessor is the index of the token whose place a successor would take: of the lasting ones that whose period of
// notice begins first or, where none is live, the one that ended last; -1 where that one was revoked, which is how a
// person leaves a tenant without a token.
func (r *record) predecessor(now time.Time) int {
	if lasting := r.lasting(now); len(lasting) > 0 {
		return slices.MinFunc(lasting, func(i, j int) int { return cmp.Compare(r.Tokens[i].window(), r.Tokens[j].window()) })
	}
	if live := r.live(now); len(live) > 0 {
		return live[len(live)-1]
	}
	last := -1
	for i, t := range r.Tokens {
		if last < 0 || !t.died().Before(r.Tokens[last].died()) {
			last = i
		}
	}
	if last >= 0 && r.Tokens[last].state(now) == TokenRevoked {
		return -1
	}
	return last
}

// successorAt is when the tenant needs a successor; false for never.
func (r *record) successorAt(now time.Time) (int64, bool) {
	i := r.predecessor(now)
	if i < 0 || r.Tokens[i].Expires == 0 {
		return 0, false
	}
	return r.Tokens[i].window(), true
}

func (r *record) needsSuccessor(now time.Time, early time.Duration) bool {
	at, ok := r.successorAt(now)
	return ok && at <= now.Add(early).Unix()
}

// successorScopes are those of the successor of the tenant's tokens: all scopes of those whose place it takes.
func (r *record) successorScopes(now time.Time) (scopes []Scope) {
	if i := r.predecessor(now); i >= 0 {
		scopes = slices.Clone(r.Tokens[i].Scopes)
	}
	for _, i := range r.lasting(now) {
		for _, scope := range r.Tokens[i].Scopes {
			if r.Tokens[i].window() <= now.Unix() && !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	return scopes
}

// toDrop reports whether the vault still has the value of a dead token.
func (t tokenRecord) toDrop(now time.Time) bool {
	return !t.live(now) && !t.Gone && t.vault() != VaultNone
}

// current is the token that the vault should have as the current one: the newest in use, else the one that is it
// already, else the oldest. Empty where none is live there.
func (r *record) current(now time.Time) string {
	oldest, used := "", ""
	for _, i := range r.live(now) {
		t := r.Tokens[i]
		switch {
		case t.vault() != VaultSecret:
			continue
		case t.First != 0:
			used = t.ID
		case oldest == "" || t.ID == r.Current:
			oldest = t.ID
		}
	}
	if used != "" {
		return used
	}
	return oldest
}

// next is when something of the tenant is to be done, 0 for never.
func (s *Service) next(id string, r *record, now time.Time) int64 {
	switch r.state {
	case deleting:
		return r.Retry // when it is woken again
	case creating:
		return 0
	}
	at := int64(math.MaxInt64)
	if want := r.current(now); r.Outbox != 0 || want != "" && want != r.Current {
		at = now.Unix()
	}
	p := s.policy(r.Settings.Token)
	if successor, ok := r.successorAt(now); ok && p.vault != VaultNone {
		at = min(at, successor-int64(s.early(id)/time.Second))
	}
	for _, t := range r.Tokens {
		if t.toDrop(now) {
			at = min(at, t.died().Unix())
		}
	}
	for _, e := range r.endings(p, now) {
		at = min(at, e.next())
	}
	if at == math.MaxInt64 {
		return 0
	}
	return max(at, r.Retry, 1)
}

// early is how long before the notice period a tenant's successor may be made, so that tenants that were made together
// don't come together: a part of Options.Spread, the same for a tenant every time.
func (s *Service) early(id string) time.Duration {
	if s.o.Spread < time.Second {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	return time.Duration(h.Sum64()%uint64(s.o.Spread/time.Second)) * time.Second
}

// duePuts are the writes that move a tenant in the order of due times.
func duePuts(id string, from, to int64) []store.Op {
	if from == to {
		return nil
	}
	keys, ops := store.KeysOf(id), []store.Op(nil)
	if from != 0 {
		ops = append(ops, store.Op{Kind: store.Delete, Key: keys.Due(from)})
	}
	if to != 0 {
		ops = append(ops, store.Op{
			Kind: store.Put, Key: keys.Due(to),
			Set: store.Attrs{store.AttrSchema: store.SchemaVersion},
		})
	}
	return ops
}
