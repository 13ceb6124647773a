package tenant

import (
	"slices"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// announcement is what announce goes by, beside the record.
type announcement struct {
	// ready tells of every token but the newest that its successor is there, also before its period of notice.
	ready bool
	// all tells whatever is due; else only that successors are ready.
	all bool
	// used says when tokens were last used, in Unix seconds by id; needed for all.
	used map[string]int64
}

// announce notes on the record the events and notices that are due at now: that a successor is ready, reminders, that a token has
// ended. Nothing is noted twice, because the record remembers what was told, and is written together with it. What is due of
// one token at one time becomes one message. It reports whether it noted anything.
func (s *Service) announce(r *record, now time.Time, a announcement) bool {
	before := len(r.out.events) + len(r.out.notices)
	if a.all {
		defer func() { r.Looked = max(r.Looked, now.Unix()) }()
	}
	toCollect := s.toCollect(r, now)
	for i := range r.Tokens {
		t := &r.Tokens[i]
		switch t.state(now) {
		case TokenExpired:
			if a.all && !t.Ended {
				r.expire(now, t, r.late(i, now, a))
			}
		case TokenActive:
			var steps []step
			due := t.window() <= now.Unix() && r.outlived(i, now) || a.ready && r.renewed(i, now)
			if t.Expires != 0 && t.Told&readyBit == 0 && (toCollect || due) {
				steps = append(steps, step{bit: readyBit, kind: NoticeSuccessorReady})
			}
			if a.all {
				steps = append(steps, r.late(i, now, a)...)
			}
			r.remind(now, t, steps)
		}
	}
	if a.all {
		r.announceClients(now, s.policy(r.Settings.Token))
	}
	return len(r.out.events)+len(r.out.notices) > before
}

// expire notes that a token has ended. Reminders that came too late go with it, but only those of a notice that was begun: who was
// never told that the token would end is told once that it has.
func (r *record) expire(now time.Time, t *tokenRecord, missed []step) {
	t.Ended = true
	r.tell(now, EventTokenExpired, t.ID, scim.Object{"expiredAt": moment(t.Expires)})
	steps := []step{{kind: NoticeExpired}}
	if t.Told&readyBit != 0 {
		steps = append(steps, missed...)
	}
	r.remind(now, t, steps)
}

// late are the reminders of token i whose time has come, the most urgent first. There are none once its successor is in use and the
// token has been silent for a week.
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

// remind notes one notice for each step; the first carries the others.
func (r *record) remind(now time.Time, t *tokenRecord, steps []step) {
	for i, s := range steps {
		n := Notice{Kind: s.kind, TokenID: t.ID, ID: noticeID(t.ID, s.kind, strconv.Itoa(t.Period))}
		if i > 0 {
			n.Carrier = steps[0].kind
		}
		t.Told |= s.bit
		r.notify(now, n)
	}
}

// outlived reports whether another live token ends after token i, or with it and is newer, and is not one that was left already.
func (r *record) outlived(i int, now time.Time) bool {
	used := r.used(now)
	return slices.ContainsFunc(r.live(now), func(j int) bool {
		end := r.Tokens[i].end()
		return j >= used && (r.Tokens[j].end() > end || r.Tokens[j].end() == end && j > i)
	})
}

// renewed reports whether a live token is newer than token i.
func (r *record) renewed(i int, now time.Time) bool {
	live := r.live(now)
	return len(live) > 0 && live[len(live)-1] > i
}

// swapped reports whether the identity provider has left token i for one that is newer or ends later, a week ago at least.
func (r *record) swapped(i int, now time.Time, used map[string]int64) bool {
	if now.Sub(time.Unix(used[r.Tokens[i].ID], 0)) < reminderStops {
		return false
	}
	return slices.ContainsFunc(r.live(now), func(j int) bool {
		return r.Tokens[j].First != 0 && (j > i || r.Tokens[j].end() > r.Tokens[i].end())
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
