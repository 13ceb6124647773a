package adminhttp

import (
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// merge has the member in the body take the place of the one in the path, and answers the one who stays.
func (a *api) merge(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "into")
	if err != nil {
		return err
	}
	into, err := text(o, "into")
	if err != nil {
		return err
	}
	if into == "" {
		return badRequest("into must be the id of the member who stays.")
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	m, err := a.members.Merge(r.Context(), t, r.PathValue("member"), into)
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, m.Object())
}

func (a *api) invite(w http.ResponseWriter, r *http.Request) error {
	if _, err := body(r, true); err != nil {
		return err
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	n, err := a.members.Invite(r.Context(), t, r.PathValue("member"))
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, scim.Object{"invited": int64(n)})
}

// inviteAll invites all members that pass the filter in the body. "more" says that the time was not enough.
func (a *api) inviteAll(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, true, "filter")
	if err != nil {
		return err
	}
	filter, err := text(o, "filter")
	if err != nil {
		return err
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	left, err := a.members.Publish(r.Context(), t, publishFor)
	if err != nil && !left {
		return err
	}
	n, more, err := a.members.InviteAll(r.Context(), t, filter)
	if err != nil {
		return err
	}
	answer := scim.Object{"invited": int64(n)}
	if more || left {
		answer["more"] = true
	}
	return ok(w, http.StatusOK, answer)
}
