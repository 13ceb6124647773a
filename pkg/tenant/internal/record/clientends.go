package record

import (
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// The secrets of a tenant's OAuth clients end as its tokens do, and the tenant's people get notices at the same times.
// A successor is not made automatically, because its value is not stored: as with VaultNone, a person makes it
// (RenewClient) and sees it once. Both are valid until the old one ends.

// milestones returns the secret's milestones, most days first. The first notice is not needed once a reminder was
// sent.
func (c Credential) milestones(p Policy) []rotation.Milestone {
	times := rotation.Milestones(c.Expires, p.NoticeDays, p.Reminders)
	for i := range times {
		times[i].Told = slices.Contains(c.Told, times[i].Days) || i == 0 && len(c.Told) > 0
	}
	return times
}

// missed returns the days of the milestones that have passed at now: those before the beginning of a short life need
// no notice.
func (c Credential) missed(p Policy, now time.Time) (days []int) {
	for _, m := range rotation.Passed(c.milestones(p), now) {
		days = append(days, m.Days)
	}
	return days
}

// SecretEndings returns the ends of the secrets of the tenant's clients. p has the times of their notices, used the
// times of last use, in Unix seconds by id.
func (r *Record) SecretEndings(p Policy, now time.Time, used map[string]int64) (all []rotation.Ending) {
	for _, c := range r.Clients {
		for _, secret := range c.Credentials {
			if secret.Expires != 0 {
				all = append(all, rotation.Ending{
					ID: secret.ID, Client: c.ID, Live: secret.Live(now), Ended: secret.Ended, Ends: secret.Expires,
					Times: secret.milestones(p), Left: c.left(secret.ID, now, used),
				})
			}
		}
	}
	return all
}

// left reports whether a newer live secret of the client is in use, and the secret was unused for a week.
func (c *ClientRecord) left(secretID string, now time.Time, used map[string]int64) bool {
	i := slices.IndexFunc(c.Credentials, func(k Credential) bool { return k.ID == secretID })
	return i >= 0 && now.Sub(time.Unix(used[secretID], 0)) >= rotation.ReminderStops &&
		slices.ContainsFunc(c.Credentials[i+1:], func(k Credential) bool { return k.Live(now) && used[k.ID] != 0 })
}

// note records on the secret that a step was announced.
func (c *Credential) note(st rotation.Step) {
	for _, m := range st.Marks {
		c.Told = append(c.Told[:len(c.Told):len(c.Told)], m.Days)
	}
	if st.Kind == rotation.Ended {
		c.Ended, c.Told = true, nil
	}
}
