package rotation

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// ReminderStops is how long a token must have been silent, once its successor is in use, for its reminders to stop.
const ReminderStops = 7 * 24 * time.Hour

// Window is when the token's period of notice begins.
func (t Token) Window() int64 { return t.end() - int64(t.noticeDays())*86400 }

// noticeDays is the length of its period of notice.
func (t Token) noticeDays() int {
	if t.Notice == 0 {
		return DefaultNoticeDays
	}
	return t.Notice
}

// Serves reports whether token j may do all that token i may.
func (r *State) Serves(j, i int) bool {
	return !slices.ContainsFunc(r.Tokens[i].Scopes, func(s Scope) bool { return !slices.Contains(r.Tokens[j].Scopes, s) })
}

// Needed reports whether a token was used and no other live one that was used may do all that it may.
func (r *State) Needed(t *Token, now time.Time) bool {
	i := slices.IndexFunc(r.Tokens, func(other Token) bool { return other.ID == t.ID })
	return t.First != 0 && !slices.ContainsFunc(r.Live(now), func(j int) bool {
		return j != i && r.Tokens[j].First != 0 && r.Serves(j, i)
	})
}

// left reports whether a newer live token that serves for token i was used. Who uses that does not go back to the older
// one.
func (r *State) left(i int, now time.Time) bool {
	return slices.ContainsFunc(r.Live(now), func(j int) bool { return j > i && r.Tokens[j].First != 0 && r.Serves(j, i) })
}

// covers reports whether token j is to take the place of token i: it serves for it, and lasts longer, or people were
// told to enter it in its place, as with a successor whose lifetime was set to be short.
func (r *State) covers(j, i int, now time.Time) bool {
	a, b := r.Tokens[j], r.Tokens[i]
	if j == i || !r.Serves(j, i) || r.ready(a, now) == b.ID {
		return false
	}
	return r.ready(b, now) == a.ID || a.end() > b.end() || a.end() == b.end() && j > i
}

// ready is the live token that people were told to enter in place of t: if that one is dead, whom they were told of
// in its place. Empty if there is none.
func (r *State) ready(t Token, now time.Time) string {
	next := r.Find(t.Ready)
	for range r.Tokens { // as many as there can be before one comes again
		if next != nil && !next.Live(now) {
			next = r.Find(next.Ready)
		}
	}
	if next == nil || !next.Live(now) {
		return ""
	}
	return next.ID
}

// covered reports whether a live token covers token i, and is not one that was left already.
func (r *State) covered(i int, now time.Time) bool {
	return slices.ContainsFunc(r.Live(now), func(j int) bool { return r.covers(j, i, now) && !r.left(j, now) })
}

// lasting lists the live tokens that no other covers, without those that were left already: the ones that need a
// successor once. There is one, but if tokens have different scopes.
func (r *State) lasting(now time.Time) []int {
	return slices.DeleteFunc(r.Live(now), func(i int) bool { return r.left(i, now) || r.covered(i, now) })
}

// Predecessor is the index of the token whose place a successor would take: of the lasting ones that whose period of
// notice begins first or, if none is live, the one that ended last; -1 if that one was revoked, which is how a
// person leaves a tenant without a token.
func (r *State) Predecessor(now time.Time) int {
	if lasting := r.lasting(now); len(lasting) > 0 {
		return slices.MinFunc(lasting, func(i, j int) int { return cmp.Compare(r.Tokens[i].Window(), r.Tokens[j].Window()) })
	}
	if live := r.Live(now); len(live) > 0 {
		return live[len(live)-1]
	}
	last := -1
	for i, t := range r.Tokens {
		if last < 0 || !t.died().Before(r.Tokens[last].died()) {
			last = i
		}
	}
	if last >= 0 && r.Tokens[last].State(now) == TokenRevoked {
		return -1
	}
	return last
}

// successorAt is when the tenant needs a successor; false for never.
func (r *State) successorAt(now time.Time) (int64, bool) {
	i := r.Predecessor(now)
	if i < 0 || r.Tokens[i].Expires == 0 {
		return 0, false
	}
	return r.Tokens[i].Window(), true
}

// NeedsSuccessor reports whether a successor is due; early is how long before the period of notice it is made.
func (r *State) NeedsSuccessor(now time.Time, early time.Duration) bool {
	at, ok := r.successorAt(now)
	return ok && at <= now.Add(early).Unix()
}

// SuccessorScopes are those of the successor of the tenant's tokens: all scopes of those whose place it takes.
func (r *State) SuccessorScopes(now time.Time) (scopes []Scope) {
	if i := r.Predecessor(now); i >= 0 {
		scopes = slices.Clone(r.Tokens[i].Scopes)
	}
	for _, i := range r.lasting(now) {
		for _, scope := range r.Tokens[i].Scopes {
			if r.Tokens[i].Window() <= now.Unix() && !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	return scopes
}

// toDrop reports whether the vault still has the value of a dead token.
func (t Token) toDrop(now time.Time) bool {
	return !t.Live(now) && !t.Gone && t.KeptIn() != VaultNone
}

// current is the token that the vault should have as the current one: the newest in use, else the one that is it
// already, else the oldest. Empty if none is live there.
func (r *State) current(now time.Time) string {
	oldest, used := "", ""
	for _, i := range r.Live(now) {
		t := r.Tokens[i]
		switch {
		case t.KeptIn() != VaultSecret:
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

// Next is when something of the tokens or endings is to be done, in Unix seconds; math.MaxInt64 for never.
func (r *State) Next(x Situation) int64 {
	at := int64(math.MaxInt64)
	if want := r.current(x.Now); r.Outbox != 0 || want != "" && want != r.Current {
		at = x.Now.Unix()
	}
	if successor, ok := r.successorAt(x.Now); ok && !x.ByHand {
		at = min(at, successor-int64(x.Early/time.Second))
	}
	for _, t := range r.Tokens {
		if t.toDrop(x.Now) {
			at = min(at, t.died().Unix())
		}
	}
	for _, e := range append(r.endings(x.Now), x.Secrets...) {
		at = min(at, e.next())
	}
	return at
}
