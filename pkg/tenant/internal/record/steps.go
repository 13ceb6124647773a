package record

import (
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// Usable returns the ids of the tenant's tokens and of its clients' secrets.
func (r *Record) Usable(now time.Time) []string {
	ids := TokenIDs(r.Listed(now))
	for _, c := range r.Clients {
		ids = append(ids, c.SecretIDs()...)
	}
	return ids
}

// Apply records steps of the kinds Ended, Remind and Looked on the record from which they were decided.
func (r *Record) Apply(x rotation.Situation, steps []rotation.Step) {
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

// note records a step of the kinds Ended and Remind, with its event and notice.
func (r *Record) note(now time.Time, st rotation.Step) {
	n := notice.Notice{Kind: st.Notice, TokenID: st.ID, ClientID: st.Client}
	if st.Client == "" {
		r.State.Note(now, st)
		t := r.Find(st.ID)
		n.ID, n.TokenEnds = t.NoticeID(st.Notice), Unix(t.Expires)
		if st.Kind == rotation.Ended {
			r.Tell(now, event.TokenExpired, t.ID, scim.Object{"expiredAt": Moment(t.Expires)})
		}
	} else {
		secret := r.Client(st.Client).Credential(st.ID)
		secret.note(st)
		n.ID, n.ClientSecretEnds = notice.ID(st.ID, st.Notice, "0"), Unix(secret.Expires)
		if st.Kind == rotation.Ended {
			r.Tell(now, event.ClientSecretExpired, "",
				scim.Object{"clientId": st.Client, "secretId": st.ID, "expiredAt": Moment(secret.Expires)})
		}
	}
	if st.Notice != "" {
		r.Notify(now, n)
	}
}

// Delivered records that everything written up to version mark was delivered, and reports whether nothing else is
// left.
func (r *Record) Delivered(mark int64) bool {
	if mark == 0 || r.Outbox != mark {
		return false
	}
	r.Outbox = 0
	return true
}

// Outdated reports whether an unsent notice is no longer true: the token has ended (which has its own notice), was
// revoked or extended, or its successor was revoked.
func (r *Record) Outdated(n notice.Notice, now time.Time) bool {
	if n.Kind == notice.Expired || n.Kind == notice.Test || n.Kind.OfTenant() {
		return false
	}
	if n.ClientID != "" {
		c := r.Client(n.ClientID)
		return c == nil || c.Credential(n.TokenID) == nil || !now.Before(n.ClientSecretEnds)
	}
	i := slices.IndexFunc(r.Tokens, func(t rotation.Token) bool { return t.ID == n.TokenID })
	switch {
	case i < 0 || r.Tokens[i].NoticeID(n.Kind) != n.ID || r.Tokens[i].State(now) == TokenExpired:
		return true
	case r.Tokens[i].Live(now):
		return false
	}
	// After a rotation was completed people still need the new token.
	return n.Kind != notice.SuccessorReady || r.Successor(i, now) < 0
}

// TokenData is the data of an event about a new token.
func TokenData(t rotation.Token) scim.Object {
	scopes := make([]any, len(t.Scopes))
	for i, s := range t.Scopes {
		scopes[i] = string(s)
	}
	return scim.Object{"expiresAt": Moment(t.Expires), "scopes": scopes}
}

// Moment returns the time of Unix seconds in the form of event data; nil for 0.
func Moment(seconds int64) any {
	if seconds == 0 {
		return nil
	}
	return Unix(seconds).Format(time.RFC3339)
}
