package tenant

import (
	"slices"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// announcement is what announce goes by, beside the record.
type announcement struct {
	// ready tells of every token but the newest that its successor is there, if its period of notice begins before this,
	// in Unix seconds.
	ready int64
	// all tells whatever is due; else only that successors are ready.
	all bool
	// used says when tokens and the secrets of clients were last used, in Unix seconds by id; needed for all.
	used map[string]int64
}

// announce notes on the record the events and notices that are due at now: that a successor is ready, reminders, that a
// token has ended. Nothing is noted twice, because the record remembers what was told, and is written together with it.
// What is due of one token at one time becomes one notice, that which says most. It reports whether it noted anything.
func (s *Service) announce(r *record, now time.Time, a announcement) bool {
	before := len(r.out.events) + len(r.out.notices)
	if a.all {
		defer func() { r.Looked = max(r.Looked, now.Unix()) }()
	}
	r.release(now)
	toCollect := s.toCollect(r, now)
	for i := range r.Tokens {
		t := &r.Tokens[i]
		switch t.state(now) {
		case TokenExpired:
			if a.all && !t.Ended {
				r.expire(now, t)
			}
		case TokenActive:
			var steps []step
			left, noticed := r.left(i, now), t.window() <= now.Unix()
			due := noticed && (left || r.covered(i, now))
			asked := !left && (toCollect && (noticed || r.Collect) || t.window() <= a.ready && r.renewed(i, now))
			if t.Told&readyBit == 0 && (due || asked) {
				steps = append(steps, step{bit: readyBit, kind: notice.SuccessorReady})
				if s := r.successor(i, now); s >= 0 && !toCollect {
					t.Ready = r.Tokens[s].ID
				}
			}
			if a.all {
				steps = append(steps, r.late(i, now, a)...)
			}
			r.remind(now, t, steps)
		}
	}
	changed := a.all && r.announceClients(now, s.policy(r.Settings.Token), a.used)
	return changed || len(r.out.events)+len(r.out.notices) > before
}

// expire notes that a token has ended. Reminders that come too late are of no use to anybody.
func (r *record) expire(now time.Time, t *tokenRecord) {
	t.Ended, t.Noted = true, now.Unix()
	r.tell(now, event.TokenExpired, t.ID, scim.Object{"expiredAt": moment(t.Expires)})
	r.remind(now, t, []step{{kind: notice.Expired}})
}

// late are the reminders of token i whose time has come, the most urgent first. There are none once its successor is in
// use and the token has been silent for a week.
func (r *record) late(i int, now time.Time, a announcement) []step {
	t := r.Tokens[i]
	if t.Expires == 0 || r.swapped(i, now, a.used) {
		return nil
	}
	var steps []step
	for _, s := range t.reminders() {
		if t.Told&s.bit == 0 && s.at <= now.Unix() && s.at >= t.Created {
			steps = append([]step{s}, steps...)
		}
	}
	return steps
}

// remind notes that all of steps are told, by one notice: the first says more than the others, and they are not listed.
func (r *record) remind(now time.Time, t *tokenRecord, steps []step) {
	for _, s := range steps {
		t.Told |= s.bit
	}
	if len(steps) > 0 {
		r.notify(now, notice.Notice{Kind: steps[0].kind, TokenID: t.ID, ID: t.noticeID(steps[0].kind), TokenEnds: unix(t.Expires)})
	}
}

// noticeID is the id of the notice of a kind that the token has now: each period of notice has its own, and each successor.
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
func (s *Service) toCollect(r *record, now time.Time) bool {
	return s.policy(r.Settings.Token).vault == VaultNone && (r.Collect || r.needsSuccessor(now, 0))
}

// reminded reports whether the time of a reminder has come since reminders were looked at last.
func (r *record) reminded(now time.Time) bool {
	for _, i := range r.live(now) {
		t := r.Tokens[i]
		if t.Expires == 0 {
			continue
		}
		for _, s := range t.reminders() {
			if s.at > r.Looked && s.at <= now.Unix() {
				return true
			}
		}
	}
	return false
}
