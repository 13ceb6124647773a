package adminhttp

import (
	"net/http"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// How long a decision lets all requests through, in minutes.
const (
	allowMinutes    = 60
	maxAllowMinutes = 7 * 24 * 60
)

// guardOf is the guard in the policy of a tenant; nil if it has none.
func (a *api) guardOf(r *http.Request, t member.Tenant) (*mapping.Guard, error) {
	p, err := a.members.Policy(r.Context(), t)
	if err != nil || p.Version == 0 {
		return nil, err
	}
	requests, err := mapping.ParseRequests(p.Document, t.Types)
	if err != nil {
		return nil, err
	}
	return requests.Guard, nil
}

func (a *api) getGuard(w http.ResponseWriter, r *http.Request) error {
	t, err := a.of(r)
	if err != nil {
		return err
	}
	g, err := a.guardOf(r, t)
	if err != nil {
		return err
	}
	return a.showGuard(w, r, t.ID, g)
}

func (a *api) showGuard(w http.ResponseWriter, r *http.Request, tenantID string, g *mapping.Guard) (err error) {
	var st guard.State
	if g != nil {
		if st, err = a.guard.State(r.Context(), tenantID, *g); err != nil {
			return err
		}
	}
	return inUse(w, shown.GuardTag(st.Decided), scim.Object{
		"tripped": st.Tripped, "since": shown.Time(st.Since), "allowedUntil": shown.Time(st.AllowedUntil),
		"counted": st.Counted, "held": lists.Objects(st.Held, heldObject),
	})
}

func heldObject(h guard.Held) scim.Object {
	return scim.Object{"member": h.ID, "action": string(h.Action), "at": shown.Time(h.At)}
}

func (a *api) decideGuard(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "decision", "minutes")
	if err != nil {
		return err
	}
	decision, err := text(o, "decision")
	if err != nil {
		return err
	}
	minutes := int64(allowMinutes)
	if v, given := o["minutes"]; given {
		n, whole := v.(int64)
		if minutes = n; !whole || n < 1 || n > maxAllowMinutes || decision != "allow" {
			return badRequest("minutes is only for the decision allow, and must be a whole number from 1 to " +
				strconv.Itoa(maxAllowMinutes) + ".")
		}
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	g, err := a.guardOf(r, t)
	if err != nil {
		return err
	}
	switch {
	case decision != "allow" && decision != "reject":
		return badRequest(`decision must be "allow" or "reject".`)
	case g == nil:
		return &problem{
			status: http.StatusConflict,
			detail: "The policy of this tenant has no guard: there is nothing to " + decision + ".",
		}
	case decision == "allow":
		err = a.guard.Allow(r.Context(), t.ID, time.Duration(minutes)*time.Minute)
	default:
		err = a.guard.Reject(r.Context(), t.ID)
	}
	if err != nil {
		return err
	}
	return a.showGuard(w, r, t.ID, g)
}
