package adminhttp

import (
	"errors"
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func (a *api) rotate(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "action", "force")
	if err != nil {
		return err
	}
	force, isBool := o["force"].(bool)
	if o["force"] != nil && (!isBool || o["action"] != "complete") {
		return badRequest(`force must be true or false, and is for the action "complete" only.`)
	}
	id := r.PathValue("id")
	switch o["action"] {
	case "start":
		err = a.tenants.StartRotation(r.Context(), id)
	case "complete":
		err = a.tenants.CompleteRotation(r.Context(), id, force)
	case "cancel":
		err = a.tenants.CancelRotation(r.Context(), id)
	default:
		err = badRequest(`action must be "start", "complete" or "cancel".`)
	}
	if err != nil {
		return err
	}
	return a.listTokens(w, r)
}

func (a *api) changeToken(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "expiresAt")
	if err != nil {
		return err
	}
	if _, given := o["expiresAt"]; !given {
		return badRequest("expiresAt must be given.")
	}
	at, endless, err := end(o)
	if err != nil {
		return err
	}
	if _, err := a.tenants.Extend(r.Context(), r.PathValue("id"), r.PathValue("token"), at, endless); err != nil {
		return err
	}
	return a.getToken(w, r)
}

// end reads expiresAt: a time, or null for a token that never expires.
func end(o scim.Object) (at time.Time, endless bool, err error) {
	if o["expiresAt"] == nil {
		return at, true, nil
	}
	value, _ := o["expiresAt"].(string)
	if at, err = time.Parse(time.RFC3339, value); err != nil || at.IsZero() {
		return at, false, badRequest("expiresAt must be a time of RFC 3339, for example 2027-05-31T12:00:00Z.")
	}
	return at, false, nil
}

func (a *api) listNotices(w http.ResponseWriter, r *http.Request) error {
	notices, err := a.tenants.Notices(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, lists.Answer("notices", lists.Objects(notices, shown.Notice), ""))
}

func (a *api) sendNotice(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "kind")
	if err != nil {
		return err
	}
	if o["kind"] != string(notice.Test) {
		return badRequest(`kind must be "test": the others are sent when they are due.`)
	}
	n, err := a.tenants.TestNotice(r.Context(), r.PathValue("id"))
	if errors.Is(err, notice.ErrTests) {
		return &tenant.ConflictError{Detail: "Ten test notices were sent within an hour. Wait and try again."}
	}
	if err != nil {
		return err
	}
	return ok(w, http.StatusAccepted, shown.Notice(n))
}

func (a *api) getClock(w http.ResponseWriter, _ *http.Request) error {
	now, machine := a.clock()
	return ok(w, http.StatusOK, scim.Object{"now": scim.FormatTime(now), "machine": scim.FormatTime(machine)})
}

func (a *api) setClock(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "now")
	if err != nil {
		return err
	}
	value, _ := o["now"].(string)
	now, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return badRequest("now must be a time of RFC 3339, for example 2027-05-31T12:00:00Z.")
	}
	if now, err = a.moveTo(r.Context(), now); err != nil {
		return err
	}
	return ok(w, http.StatusOK, scim.Object{"now": scim.FormatTime(now)})
}
