package delivery

import "time"

// Outcome is the result of an attempt to send events.
type Outcome struct {
	// Accepted is the sequence number up to which the destination has the log now; 0: as before.
	Accepted int64
	// Failed says that the event after that was not accepted.
	Failed bool
	// Gone says that the destination wants no more events, ever.
	Gone bool
	// RetryAfter is the time that the destination asks to wait before the next attempt.
	RetryAfter time.Duration
	// Attempts are added to the State.
	Attempts []Attempt
}

// terms are the properties of a destination that no result of an attempt changes.
type terms struct {
	// lasting destinations are never paused.
	lasting bool
	// jitter, from 0 up to 1, spreads the attempts of many destinations.
	jitter float64
}

// verdict is the consequence of an attempt beside the state.
type verdict int

const (
	goOn   verdict = iota // to the next events
	wait                  // until the state is due
	pause                 // until a person resumes it
	shutUp                // the destination is to be switched off
)

// The times of retries. After the first failures attempts come quickly: most outages are short. Then they come every
// hour for three days, so that an endpoint that is back waits an hour at most, and every six hours up to the fifth day.
var first = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
}

const (
	hourlyFor  = 3 * 24 * time.Hour
	later      = 6 * time.Hour
	pauseAfter = 5 * 24 * time.Hour
	// longest is the most that a destination may ask to be left alone.
	longest = 24 * time.Hour
)

// interval is the time from a failed attempt to the next: attempt counts the failed ones, failing is since when.
func interval(attempt int, failing time.Duration) time.Duration {
	switch {
	case attempt <= len(first):
		return first[attempt-1]
	case failing < hourlyFor:
		return time.Hour
	}
	return later
}

// decide is the state machine of a destination: the state after an attempt, and the consequence.
// It gives the lease back.
func decide(s State, o Outcome, t terms, now time.Time) (State, verdict) {
	s.Lease = 0
	s.Recent = append(s.Recent[:len(s.Recent):len(s.Recent)], o.Attempts...)
	if over := len(s.Recent) - recent; over > 0 {
		s.Recent = s.Recent[over:]
	}
	if o.Accepted > s.Position {
		s.Position = o.Accepted
		s.Attempt, s.FailingSince, s.Due = 0, 0, 0
	}
	if o.Gone {
		s.Attempt, s.FailingSince, s.Due = 0, 0, 0
		return s, shutUp
	}
	if !o.Failed {
		s.Attempt, s.FailingSince, s.Due = 0, 0, 0
		return s, goOn
	}
	if s.Attempt == 0 {
		s.FailingSince = now.UnixMilli()
	}
	s.Attempt++
	failing := now.Sub(time.UnixMilli(s.FailingSince))
	if failing >= pauseAfter && !t.lasting {
		s.Paused, s.Due = now.UnixMilli(), 0
		return s, pause
	}
	after := interval(s.Attempt, failing)
	after = after*3/4 + time.Duration(t.jitter*float64(after)/2)
	s.Due = now.Add(max(after, min(o.RetryAfter, longest))).UnixMilli()
	return s, wait
}

// resume is the state after a person has switched the destination on again.
func (s State) resume() State {
	s.Paused, s.Attempt, s.FailingSince, s.Due = 0, 0, 0, 0
	return s
}

// lost is the state that goes on after start, because earlier events are not kept.
func (s State) lost(start int64, epoch string, now time.Time) State {
	if (epoch == s.Epoch || s.Epoch == "") && start > s.Position {
		s.Skipped = &Skip{After: s.Position, Last: start, At: now.UnixMilli()}
	}
	s.Position, s.Epoch = start, epoch
	return s
}
