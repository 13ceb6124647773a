package tenant

import (
	"slices"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// noticeID is the id of the notice of a kind that the token has now: each period of notice has its own, and each
// successor.
func (t tokenRecord) noticeID(kind notice.Kind) string {
	period := strconv.Itoa(t.Period)
	if kind == notice.SuccessorReady && t.Void > 0 {
		period += "-" + strconv.Itoa(t.Void)
	}
	return notice.ID(t.ID, kind, period)
}

// successor is the index of the token to enter in place of token i: of those that cover it the one that ends last, else
// the newest where i is older; -1 where there is none.
func (r *record) successor(i int, now time.Time) int {
	best, live := -1, r.live(now)
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

// release takes back what was told of successors that are dead, unless people were told of another one in their place:
// the next one is told of like the first.
func (r *record) release(now time.Time) {
	for i := range r.Tokens {
		t := &r.Tokens[i]
		if t.Told&readyBit == 0 || t.Ready == "" {
			continue
		}
		if t.Ready = r.ready(*t, now); t.Ready == "" {
			t.void()
		}
	}
}

// void takes back that a successor is ready.
func (t *tokenRecord) void() {
	t.Told, t.Ready, t.Void = t.Told&^readyBit, "", t.Void+1
}

// renewed reports whether a live token is newer than token i.
func (r *record) renewed(i int, now time.Time) bool {
	live := r.live(now)
	return len(live) > 0 && live[len(live)-1] > i
}

// swapped reports whether the identity provider has left token i for one that serves for it and is newer or ends later,
// a week ago at least.
func (r *record) swapped(i int, now time.Time, used map[string]int64) bool {
	if now.Sub(time.Unix(used[r.Tokens[i].ID], 0)) < reminderStops {
		return false
	}
	return slices.ContainsFunc(r.live(now), func(j int) bool {
		return r.Tokens[j].First != 0 && r.serves(j, i) && (j > i || r.Tokens[j].end() > r.Tokens[i].end())
	})
}

// toCollect reports whether a successor waits for a person to collect it.
func (r *record) toCollect(p policy, now time.Time) bool {
	return p.vault == VaultNone && (r.Collect || r.needsSuccessor(now, 0))
}

// toCollect is toCollect of the record under the policy of its settings.
func (s *Service) toCollect(r *record, now time.Time) bool {
	return r.toCollect(s.policy(r.Settings.Token), now)
}

// reminded reports whether the time of a reminder has come that was not told, since reminders were looked at last.
func (r *record) reminded(now time.Time) bool {
	return slices.ContainsFunc(r.Tokens, func(t tokenRecord) bool {
		return t.live(now) && t.Expires != 0 && slices.ContainsFunc(passed(t.milestones()[1:], now), func(m milestone) bool {
			return m.at > r.Looked
		})
	})
}
