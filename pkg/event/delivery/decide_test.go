package delivery

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func ms(d time.Duration) int64 { return now.Add(d).UnixMilli() }

// TestDecide goes through the state machine. Jitter of one half is none.
func TestDecide(t *testing.T) {
	failed := Outcome{Failed: true}
	day := 24 * time.Hour
	for _, c := range []struct {
		name    string
		s       State
		o       Outcome
		lasting bool
		want    State
		follows verdict
	}{
		{"all accepted", State{Position: 4, Lease: 9}, Outcome{Accepted: 7}, false, State{Position: 7}, goOn},
		{
			"accepted after failures",
			State{Position: 4, Attempt: 3, FailingSince: 5, Due: 6},
			Outcome{Accepted: 7},
			false,
			State{Position: 7},
			goOn,
		},
		{"nothing new", State{Position: 4}, Outcome{Accepted: 3}, false, State{Position: 4}, goOn},
		{
			"first failure",
			State{Position: 4, Lease: 9},
			failed, false,
			State{Position: 4, Attempt: 1, FailingSince: ms(0), Due: ms(5 * time.Second)},
			wait,
		},
		{
			"second failure",
			State{Attempt: 1, FailingSince: ms(-time.Minute), Due: ms(-1)},
			failed, false,
			State{Attempt: 2, FailingSince: ms(-time.Minute), Due: ms(30 * time.Second)},
			wait,
		},
		{
			"a part accepted",
			State{Position: 4, Attempt: 9, FailingSince: ms(-day)},
			Outcome{Accepted: 5, Failed: true},
			false,
			State{Position: 5, Attempt: 1, FailingSince: ms(0), Due: ms(5 * time.Second)},
			wait,
		},
		{
			"hourly",
			State{Attempt: 5, FailingSince: ms(-time.Hour)},
			failed, false,
			State{Attempt: 6, FailingSince: ms(-time.Hour), Due: ms(time.Hour)},
			wait,
		},
		{
			"after three days",
			State{Attempt: 70, FailingSince: ms(-3 * day)},
			failed, false,
			State{Attempt: 71, FailingSince: ms(-3 * day), Due: ms(6 * time.Hour)},
			wait,
		},
		{
			"after five days",
			State{Position: 4, Attempt: 80, FailingSince: ms(-5 * day), Due: ms(0)},
			failed, false,
			State{Position: 4, Attempt: 81, FailingSince: ms(-5 * day), Paused: ms(0)},
			pause,
		},
		{
			"a lasting one",
			State{Attempt: 80, FailingSince: ms(-9 * day)},
			failed, true,
			State{Attempt: 81, FailingSince: ms(-9 * day), Due: ms(6 * time.Hour)},
			wait,
		},
		{
			"asked to wait",
			State{},
			Outcome{Failed: true, RetryAfter: time.Hour},
			false,
			State{Attempt: 1, FailingSince: ms(0), Due: ms(time.Hour)},
			wait,
		},
		{
			"asked to wait for less",
			State{},
			Outcome{Failed: true, RetryAfter: time.Second},
			false,
			State{Attempt: 1, FailingSince: ms(0), Due: ms(5 * time.Second)},
			wait,
		},
		{
			"asked to wait for ever",
			State{},
			Outcome{Failed: true, RetryAfter: 99 * day},
			false,
			State{Attempt: 1, FailingSince: ms(0), Due: ms(day)},
			wait,
		},
		{
			"gone",
			State{Position: 4, Attempt: 2, FailingSince: 1, Due: 3},
			Outcome{Accepted: 6, Failed: true, Gone: true},
			false,
			State{Position: 6},
			shutUp,
		},
	} {
		got, follows := decide(c.s, c.o, terms{c.lasting, 0.5}, now)
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(State{}), cmpopts.EquateEmpty()); diff != "" ||
			follows != c.follows {
			t.Errorf("%s: follows %d\n%s", c.name, follows, diff)
		}
	}
}

// TestRetriesEnd follows an endpoint that never answers: how often it is tried, and when that ends.
func TestRetriesEnd(t *testing.T) {
	for _, jitter := range []float64{0, 0.5, 0.999} {
		s, at, n := State{}, now, 0
		for s.Paused == 0 {
			s, _ = decide(s, Outcome{Failed: true, Attempts: []Attempt{{At: at.UnixMilli()}}},
				terms{jitter: jitter}, at)
			if n++; s.Due > 0 {
				at = time.UnixMilli(s.Due)
			}
		}
		if took := at.Sub(now); took < pauseAfter || took > pauseAfter+8*time.Hour || n < 60 || n > 130 ||
			len(s.Recent) != recent {
			t.Errorf("jitter %v: paused after %s and %d attempts, %d of them kept", jitter, took, n, len(s.Recent))
		}
	}
}
