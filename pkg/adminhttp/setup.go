package adminhttp

import (
	"errors"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func (a *api) setupRoutes() map[string]methods {
	return map[string]methods{
		"/tenants/{id}/setup-links":        {"GET": a.listLinks, "POST": a.createLink},
		"/tenants/{id}/setup-links/{link}": {"GET": a.getLink, "DELETE": conditional(a.revokeLink, shown.OfLink)},
	}
}

// noLink turns tenant.ErrNotFound into a 404 that names the missing thing.
func noLink(err error) error {
	if errors.Is(err, tenant.ErrNotFound) {
		return &problem{status: http.StatusNotFound, detail: "The tenant or set-up link does not exist."}
	}
	return err
}

func newLink(o scim.Object) (n setup.NewLink, err error) {
	if n.ID, err = chosenID(o); err != nil {
		return n, err
	}
	role := ""
	for key, to := range map[string]*string{
		"role": &role, "email": &n.Email, "language": &n.Language, "returnUrl": &n.ReturnURL,
	} {
		if *to, err = text(o, key); err != nil {
			return n, err
		}
	}
	n.Role = setup.Role(role)
	switch hours := o["validHours"].(type) {
	case nil:
	case int64:
		if hours < 1 || hours > setup.MaxHours {
			return n, badRequest("validHours must be 1 to 720.")
		}
		n.ValidHours = int(hours)
	default:
		return n, badRequest("validHours must be a whole number.")
	}
	return n, nil
}

// createLink answers with the code, which no other answer holds.
func (a *api) createLink(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "id", "email", "language", "role", "validHours", "returnUrl")
	if err != nil {
		return err
	}
	n, err := newLink(o)
	if err != nil {
		return err
	}
	l, code, err := a.links.Create(r.Context(), r.PathValue("id"), n)
	if err != nil {
		return noLink(err)
	}
	o = shown.Link(l)
	o["code"] = code
	o["url"] = a.base(r) + "/setup/" + l.ID + "#" + code
	w.Header().Set("Location", r.URL.Path+"/"+l.ID)
	w.Header().Set("ETag", shown.LinkTag(l))
	return ok(w, http.StatusCreated, o)
}

func (a *api) listLinks(w http.ResponseWriter, r *http.Request) error {
	named := lists.Named(r)
	all, err := a.links.List(r.Context(), r.PathValue("id"))
	if err != nil {
		return noLink(err)
	}
	all = lists.Only(all, func(l setup.Link) bool { return named(l.Email) })
	return ok(w, http.StatusOK, lists.Answer("setupLinks", lists.Objects(all, shown.Link), ""))
}

func (a *api) getLink(w http.ResponseWriter, r *http.Request) error {
	l, err := a.links.Get(r.Context(), r.PathValue("id"), r.PathValue("link"))
	if err != nil {
		return noLink(err)
	}
	return inUse(w, shown.LinkTag(l), shown.Link(l))
}

func (a *api) revokeLink(w http.ResponseWriter, r *http.Request) error {
	if err := a.links.Revoke(r.Context(), r.PathValue("id"), r.PathValue("link")); err != nil {
		return noLink(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
