package tenant

import (
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// situation is the one in which it is decided what is due of a tenant; used says when its tokens and the secrets of its
// clients were last used, in Unix seconds by id.
func (s *Service) situation(id string, r *record, now time.Time, used map[string]int64) rotation.Situation {
	p := s.policy(r.Settings.Token)
	return rotation.Situation{
		Now: now, Early: s.early(id), ByHand: p.vault == VaultNone, Used: used, Secrets: r.secretEndings(p, now, used),
	}
}

// toCollect reports whether a successor waits for a person to collect it.
func (s *Service) toCollect(r *record, now time.Time) bool {
	return r.State.ToCollect(s.policy(r.Settings.Token).vault == VaultNone, now)
}

// usable are the ids of the tenant's tokens and of its clients' secrets.
func (r *record) usable(now time.Time) []string {
	ids := tokenIDs(r.tokens(now))
	for _, c := range r.Clients {
		ids = append(ids, c.secretIDs()...)
	}
	return ids
}

// tellAll notes on the record all that people are to be told, of the settings and clients as they are in it. It reports
// whether there was anything.
func (s *Service) tellAll(r *record, x rotation.Situation) bool {
	p := s.policy(r.Settings.Token)
	x.ByHand, x.Secrets = p.vault == VaultNone, r.secretEndings(p, x.Now, x.Used)
	steps := r.Tells(x)
	r.apply(x, steps)
	return len(steps) > 0
}

// apply notes steps of the kinds Ended, Remind and Looked on the record that they were decided from.
func (r *record) apply(x rotation.Situation, steps []rotation.Step) {
	r.Release(x.Now)
	for _, st := range steps {
		if st.Kind != rotation.Looked {
			r.note(x.Now, st)
		}
	}
	if !x.ReadyOnly {
		r.Looked = max(r.Looked, x.Now.Unix())
	}
}

// note puts a step of the kinds Ended and Remind on the record, with the event and the notice that tell of it.
func (r *record) note(now time.Time, st rotation.Step) {
	n := notice.Notice{Kind: st.Notice, TokenID: st.ID, ClientID: st.Client}
	if st.Client == "" {
		r.State.Note(now, st)
		t := r.Find(st.ID)
		n.ID, n.TokenEnds = t.NoticeID(st.Notice), unix(t.Expires)
		if st.Kind == rotation.Ended {
			r.tell(now, event.TokenExpired, t.ID, scim.Object{"expiredAt": moment(t.Expires)})
		}
	} else {
		secret := r.client(st.Client).credential(st.ID)
		secret.note(st)
		n.ID, n.ClientSecretEnds = notice.ID(st.ID, st.Notice, "0"), unix(secret.Expires)
		if st.Kind == rotation.Ended {
			r.tell(now, event.ClientSecretExpired, "",
				scim.Object{"clientId": st.Client, "secretId": st.ID, "expiredAt": moment(secret.Expires)})
		}
	}
	if st.Notice != "" {
		r.notify(now, n)
	}
}
