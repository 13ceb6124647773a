package tenant

import (
	"math"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// The secrets of a tenant's OAuth clients end as its tokens do, and the tenant's people are told at the same times. A
// successor is not made for them, because its value is kept nowhere: as with VaultNone, a person makes it (RenewClient)
// and is shown it. Both are good until the old one ends.

// ending is a token or a client's secret, as far as people are told of its end.
type ending struct {
	id     string
	client string // empty for a token
	live   bool
	ended  bool  // its end was told, or a person revoked it
	ends   int64 // Unix seconds, 0 for never
	times  []milestone
	looked int64 // reminders of before were looked at, and are not made up for
}

// milestone is a time before the end at which people are told: that the successor is ready, at the beginning of the
// period of notice, or a reminder.
type milestone struct {
	bit  uint16 // of tokenRecord.Told
	days int    // before the end
	at   int64  // Unix seconds
	told bool   // it was told, or need not be
}

const readyBit uint16 = 1

// kind is the kind of the notice of the milestone.
func (m milestone) kind() notice.Kind {
	if m.bit == readyBit {
		return notice.SuccessorReady
	}
	return notice.ReminderKind(m.days)
}

// milestones are the times of something that ends: the beginning of the period of notice, then reminders.
func milestones(ends int64, noticeDays int, reminders []int) []milestone {
	times := make([]milestone, 1+len(reminders))
	for i, n := range append([]int{noticeDays}, reminders...) {
		times[i] = milestone{bit: 1 << i, days: n, at: ends - int64(n)*86400}
	}
	return times
}

// milestones are the token's times, most days first.
func (t tokenRecord) milestones() []milestone {
	reminders := t.Reminders
	if reminders == nil {
		reminders = defaultReminders
	}
	times := milestones(t.end(), t.noticeDays(), reminders)
	for i := range times {
		times[i].told = t.Told&times[i].bit != 0 || i > 0 && times[i].at < t.Created
	}
	return times
}

// milestones are the secret's times, most days first. That the end comes need not be told once a reminder was.
func (c credential) milestones(p policy) []milestone {
	times := milestones(c.Expires, p.noticeDays, p.reminders)
	for i := range times {
		times[i].told = slices.Contains(c.Told, times[i].days) || i == 0 && len(c.Told) > 0
	}
	return times
}

// missed are the days of those milestones whose time has passed at now: of a short life nobody is told before it
// begins.
func (c credential) missed(p policy, now time.Time) (days []int) {
	for _, m := range passed(c.milestones(p), now) {
		days = append(days, m.days)
	}
	return days
}

// passed are those of the milestones that are to be told at now.
func passed(times []milestone, now time.Time) []milestone {
	return slices.DeleteFunc(slices.Clone(times), func(m milestone) bool { return m.told || m.at > now.Unix() })
}

// endings are the tenant's tokens, oldest first, and then its clients' secrets. p has the times of secrets.
func (r *record) endings(p policy, now time.Time) []ending {
	var all []ending
	for _, t := range r.Tokens {
		all = append(all, ending{
			id: t.ID, live: t.live(now), ended: t.Ended || t.Revoked != 0, ends: t.Expires, times: t.milestones(),
			looked: r.Looked,
		})
	}
	for _, c := range r.Clients {
		for _, secret := range c.Credentials {
			if secret.Expires != 0 {
				all = append(all, ending{
					id: secret.ID, client: c.ID, live: secret.live(now), ended: secret.Ended, ends: secret.Expires,
					times: secret.milestones(p),
				})
			}
		}
	}
	return all
}

// next is when something of the end is to be told, in Unix seconds; math.MaxInt64 for never.
func (e ending) next() int64 {
	if e.ends == 0 || e.ended {
		return math.MaxInt64
	}
	at := e.ends
	for _, m := range e.times {
		if e.live && !m.told && (m.bit == readyBit || m.at > e.looked) {
			at = min(at, m.at)
		}
	}
	return at
}

// left reports whether a newer live secret of the client is in use, and the secret has been silent for a week.
func (c *clientRecord) left(secretID string, now time.Time, used map[string]int64) bool {
	i := slices.IndexFunc(c.Credentials, func(k credential) bool { return k.ID == secretID })
	return i >= 0 && now.Sub(time.Unix(used[secretID], 0)) >= reminderStops &&
		slices.ContainsFunc(c.Credentials[i+1:], func(k credential) bool { return k.live(now) && used[k.ID] != 0 })
}

// usable are the ids of the tenant's tokens and of its clients' secrets.
func (r *record) usable(now time.Time) []string {
	ids := tokenIDs(r.tokens(now))
	for _, c := range r.Clients {
		ids = append(ids, c.secretIDs()...)
	}
	return ids
}
