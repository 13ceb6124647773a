package rotation

import (
	"math"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// Ending is a token or a client's secret, with the facts that notices of its end need.
type Ending struct {
	ID     string
	Client string // empty for a token
	Live   bool
	Ended  bool  // its end was announced, or a person revoked it
	Ends   int64 // Unix seconds, 0 for never
	Times  []Milestone
	Left   bool  // of a secret: the client uses another one, so that no notice is needed
	looked int64 // earlier reminders were looked at, and are not sent late
}

// Milestone is a time before the end that has a notice: that the successor is ready, at the beginning of the period of
// notice, or a reminder.
type Milestone struct {
	Bit  uint16 // of Token.Told
	Days int    // before the end
	At   int64  // Unix seconds
	Told bool   // it was announced, or need not be
}

// ReadyBit is the bit of the first milestone.
const ReadyBit uint16 = 1

// kind returns the kind of the notice of the milestone.
func (m Milestone) kind() notice.Kind {
	if m.Bit == ReadyBit {
		return notice.SuccessorReady
	}
	return notice.ReminderKind(m.Days)
}

// Milestones returns the milestones before an end: the beginning of the period of notice, then reminders.
func Milestones(ends int64, noticeDays int, reminders []int) []Milestone {
	times := make([]Milestone, 1+len(reminders))
	for i, n := range append([]int{noticeDays}, reminders...) {
		times[i] = Milestone{Bit: 1 << i, Days: n, At: ends - int64(n)*86400}
	}
	return times
}

// Milestones returns the token's milestones, most days first.
func (t Token) Milestones() []Milestone {
	reminders := t.Reminders
	if reminders == nil {
		reminders = DefaultReminders
	}
	times := Milestones(t.end(), t.noticeDays(), reminders)
	for i := range times {
		times[i].Told = t.Told&times[i].Bit != 0 || i > 0 && times[i].At < t.Created
	}
	return times
}

// Passed returns the milestones that are to be announced at now.
func Passed(times []Milestone, now time.Time) []Milestone {
	return slices.DeleteFunc(slices.Clone(times), func(m Milestone) bool { return m.Told || m.At > now.Unix() })
}

// next returns the time of the next notice of the end, in Unix seconds; math.MaxInt64 for never.
func (e Ending) next() int64 {
	if e.Ends == 0 || e.Ended {
		return math.MaxInt64
	}
	at := e.Ends
	for _, m := range e.Times {
		if e.Live && !m.Told && (m.Bit == ReadyBit || m.At > e.looked) {
			at = min(at, m.At)
		}
	}
	return at
}

// endings are the tokens, oldest first.
func (r *State) endings(now time.Time) (all []Ending) {
	for _, t := range r.Tokens {
		all = append(all, Ending{
			ID: t.ID, Live: t.Live(now), Ended: t.Ended || t.Revoked != 0, Ends: t.Expires, Times: t.Milestones(),
			looked: r.Looked,
		})
	}
	return all
}
