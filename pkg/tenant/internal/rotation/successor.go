package rotation

import (
	"slices"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// NoticeID returns the present id of the token's notice of a kind. Each period of notice and each successor has its
// own.
func (t Token) NoticeID(kind notice.Kind) string {
	period := strconv.Itoa(t.Period)
	if kind == notice.SuccessorReady && t.Void > 0 {
		period += "-" + strconv.Itoa(t.Void)
	}
	return notice.ID(t.ID, kind, period)
}

// Successor returns the index of the token to enter in place of token i: of those that cover it the one that ends
// last, else the newest if i is older; -1 if there is none.
func (r *State) Successor(i int, now time.Time) int {
	best, live := -1, r.Live(now)
	for _, j := range live {
		if r.covers(j, i, now) && !r.left(j, now) && (best < 0 || r.Tokens[j].end() >= r.Tokens[best].end()) {
			best = j
		}
	}
	if best < 0 && len(live) > 0 && live[len(live)-1] > i {
		return live[len(live)-1]
	}
	return best
}

// Release removes the marks of notices about dead successors, unless a notice named another one in their place. The
// next successor then gets a notice like the first.
func (r *State) Release(now time.Time) {
	for i := range r.Tokens {
		t := &r.Tokens[i]
		if t.Told&ReadyBit == 0 || t.Ready == "" {
			continue
		}
		if t.Ready = r.ready(*t, now); t.Ready == "" {
			t.ForgetReady()
		}
	}
}

// ForgetReady removes the mark of the notice that a successor is ready.
func (t *Token) ForgetReady() {
	t.Told, t.Ready, t.Void = t.Told&^ReadyBit, "", t.Void+1
}

// renewed reports whether a live token is newer than token i.
func (r *State) renewed(i int, now time.Time) bool {
	live := r.Live(now)
	return len(live) > 0 && live[len(live)-1] > i
}

// swapped reports whether the identity provider left token i, a week ago at least, for one that serves for it and is
// newer or ends later.
func (r *State) swapped(i int, now time.Time, used map[string]int64) bool {
	if now.Sub(time.Unix(used[r.Tokens[i].ID], 0)) < ReminderStops {
		return false
	}
	return slices.ContainsFunc(r.Live(now), func(j int) bool {
		return r.Tokens[j].First != 0 && r.Serves(j, i) && (j > i || r.Tokens[j].end() > r.Tokens[i].end())
	})
}

// ToCollect reports whether a successor waits to be collected; byHand says that a person makes it.
func (r *State) ToCollect(byHand bool, now time.Time) bool {
	return byHand && (r.Collect || r.NeedsSuccessor(now, 0))
}

// reminded reports whether a reminder that was not sent has become due since reminders were last looked at.
func (r *State) reminded(now time.Time) bool {
	return slices.ContainsFunc(r.Tokens, func(t Token) bool {
		missed := func(m Milestone) bool { return m.At > r.Looked }
		return t.Live(now) && t.Expires != 0 && slices.ContainsFunc(Passed(t.Milestones()[1:], now), missed)
	})
}
