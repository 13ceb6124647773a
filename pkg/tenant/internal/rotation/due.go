package rotation

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// ReminderStops is the time after which reminders of an unused token stop, once its successor is in use.
const ReminderStops = 7 * 24 * time.Hour

// Window returns the time at which the token's period of notice begins, in Unix seconds.
func (t Token) Window() int64 { return t.end() - int64(t.noticeDays())*86400 }

// noticeDays returns the length of its period of notice.
func (t Token) noticeDays() int {
	if t.Notice == 0 {
		return DefaultNoticeDays
	}
	return t.Notice
}

// Serves reports whether token j has all scopes of token i.
func (r *State) Serves(j, i int) bool {
	return !slices.ContainsFunc(r.Tokens[i].Scopes, func(s Scope) bool {
		return !slices.Contains(r.Tokens[j].Scopes, s)
	})
}

// Needed reports whether a token was used and no other used live token has all its scopes.
func (r *State) Needed(t *Token, now time.Time) bool {
	i := slices.IndexFunc(r.Tokens, func(other Token) bool { return other.ID == t.ID })
	return t.First != 0 && !slices.ContainsFunc(r.Live(now), func(j int) bool {
		return j != i && r.Tokens[j].First != 0 && r.Serves(j, i)
	})
}

// left reports whether a newer live token that serves for token i was used: its user does not go back to the older
// one.
func (r *State) left(i int, now time.Time) bool {
	return slices.ContainsFunc(r.Live(now), func(j int) bool {
		return j > i && r.Tokens[j].First != 0 && r.Serves(j, i)
	})
}

// covers reports whether token j is to replace token i. It must serve for it, and either last longer or be the token
// that a notice named in its place, as for a successor with a short lifetime.
func (r *State) covers(j, i int, now time.Time) bool {
	a, b := r.Tokens[j], r.Tokens[i]
	if j == i || !r.Serves(j, i) || r.ready(a, now) == b.ID {
		return false
	}
	return r.ready(b, now) == a.ID || a.end() > b.end() || a.end() == b.end() && j > i
}

// ready returns the live token that a notice named in place of t; if that one is dead, the one named in its place, and
// so on. Empty if there is none.
func (r *State) ready(t Token, now time.Time) string {
	next := r.Find(t.Ready)
	for range r.Tokens { // a longer chain would repeat a token
		if next != nil && !next.Live(now) {
			next = r.Find(next.Ready)
		}
	}
	if next == nil || !next.Live(now) {
		return ""
	}
	return next.ID
}

// covered reports whether a live token that was not left already covers token i.
func (r *State) covered(i int, now time.Time) bool {
	return slices.ContainsFunc(r.Live(now), func(j int) bool { return r.covers(j, i, now) && !r.left(j, now) })
}

// lasting lists the live tokens that no other covers and that were not left: those that will need a successor. There
// is one, except if tokens have different scopes.
func (r *State) lasting(now time.Time) []int {
	return slices.DeleteFunc(r.Live(now), func(i int) bool { return r.left(i, now) || r.covered(i, now) })
}

// Predecessor returns the index of the token that a successor would replace: the lasting one whose period of notice
// begins first or, if none is live, the one that ended last. It is -1 if that one was revoked: by that a person leaves
// a tenant without a token.
func (r *State) Predecessor(now time.Time) int {
	if lasting := r.lasting(now); len(lasting) > 0 {
		return slices.MinFunc(lasting, func(i, j int) int {
			return cmp.Compare(r.Tokens[i].Window(), r.Tokens[j].Window())
		})
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

// successorAt returns the time at which the tenant needs a successor; false for never.
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

// SuccessorScopes returns the scopes of the next successor: all scopes of the tokens that it replaces.
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

// current returns the token that should be the current one in the vault: the newest in use, else the present one, else
// the oldest. Empty if none is live there.
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

// Next returns the next time at which the tokens or endings have due work, in Unix seconds; math.MaxInt64 for never.
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
