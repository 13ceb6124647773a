package tenant

import (
	"math"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// The secrets of a tenant's OAuth clients end as its tokens do, and the tenant's people are told at the same times. A
// successor is not made for them, because its value is kept nowhere: as with VaultNone, a person makes it (RenewClient)
// and is shown it. Both are good until the old one ends.

// noticeDaysOfClients are the days before its end at which a secret's end is told, the first is the beginning of the period of notice.
func (p policy) noticeDaysOfClients() []int { return append([]int{p.noticeDays}, p.reminders...) }

// told reports whether days[i] is told, or need not be: the first of them, that the end comes, where anything was.
func (c credential) told(days []int, i int) bool {
	return slices.Contains(c.Told, days[i]) || i == 0 && len(c.Told) > 0
}

// missed are the days of those whose time has passed at now.
func (c credential) missed(days []int, now time.Time) []int {
	var past []int
	for i, n := range days {
		if c.Expires-int64(n)*86400 <= now.Unix() && !c.told(days, i) {
			past = append(past, n)
		}
	}
	return past
}

// announceClients notes what is due of the ends of clients' secrets. What a run that comes late finds together becomes
// one notice: the first, that a new secret is to be collected, or the most urgent reminder; none where the client has
// left the secret. It reports whether it changed anything.
func (r *record) announceClients(now time.Time, p policy, used map[string]int64) (changed bool) {
	for i := range r.Clients {
		c := &r.Clients[i]
		for j := range c.Credentials {
			secret := &c.Credentials[j]
			if secret.Expires == 0 || secret.Ended {
				continue
			}
			var kind notice.Kind
			if !secret.live(now) {
				secret.Ended, secret.Told = true, nil
				r.tell(now, event.ClientSecretExpired, "", scim.Object{"clientId": c.ID, "secretId": secret.ID, "expiredAt": moment(secret.Expires)})
				kind = notice.Expired
			} else {
				past := secret.missed(p.noticeDaysOfClients(), now)
				if len(past) == 0 {
					continue
				}
				kind = notice.SuccessorReady
				if past[0] != p.noticeDays {
					kind = notice.ReminderKind(slices.Min(past))
				}
				secret.Told = append(slices.Clone(secret.Told), past...)
			}
			changed = true
			if secret.live(now) && c.left(j, now, used) {
				continue
			}
			r.notify(now, notice.Notice{
				Kind: kind, TokenID: secret.ID, ID: notice.ID(secret.ID, kind, "0"), ClientID: c.ID, ClientSecretEnds: unix(secret.Expires),
			})
		}
	}
	return changed
}

// left reports whether a newer live secret of the client is in use, and secret i has been silent for a week.
func (c *clientRecord) left(i int, now time.Time, used map[string]int64) bool {
	return now.Sub(time.Unix(used[c.Credentials[i].ID], 0)) >= reminderStops &&
		slices.ContainsFunc(c.Credentials[i+1:], func(k credential) bool {
			return k.live(now) && used[k.ID] != 0
		})
}

// usable are the ids of the tenant's tokens and of its clients' secrets.
func (r *record) usable(now time.Time) []string {
	ids := tokenIDs(r.tokens(now))
	for _, c := range r.Clients {
		ids = append(ids, c.secretIDs()...)
	}
	return ids
}

// nextOfClients is when something of the clients' secrets is to be told.
func (r *record) nextOfClients(p policy) int64 {
	at := int64(math.MaxInt64)
	for _, c := range r.Clients {
		for _, secret := range c.Credentials {
			if secret.Expires == 0 || secret.Ended {
				continue
			}
			at = min(at, secret.Expires)
			days := p.noticeDaysOfClients()
			for i, n := range days {
				if !secret.told(days, i) {
					at = min(at, secret.Expires-int64(n)*86400)
				}
			}
		}
	}
	return at
}
