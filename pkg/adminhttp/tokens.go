package adminhttp

import (
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func (a *api) createToken(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, true, "id", "scopes", "expiresAt")
	if err != nil {
		return err
	}
	n, err := newToken(o)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	token, err := a.tenants.Issue(r.Context(), id, n)
	if err != nil {
		return err
	}
	w.Header().Set("Location", Root+"/tenants/"+id+"/tokens/"+token.ID)
	w.Header().Set("ETag", shown.TokenTag(token.Token))
	return ok(w, http.StatusCreated, shown.IssuedToken(token))
}

// chosenID is the id that a request chooses for what it creates; "" if it chooses none.
func chosenID(o scim.Object) (string, error) {
	if id, given := o["id"]; given && id == "" {
		return "", badRequest("id must not be empty; leave it out to get a generated one.")
	}
	return text(o, "id")
}

func newToken(o scim.Object) (n tenant.NewToken, err error) {
	if n.ID, err = chosenID(o); err != nil {
		return n, err
	}
	if v, given := o["scopes"]; given {
		if n.Scopes, err = scopes(v); err != nil {
			return n, err
		}
	}
	if _, given := o["expiresAt"]; given {
		n.ExpiresAt, n.Endless, err = end(o)
	}
	return n, err
}

func scopes(v any) ([]tenant.Scope, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, badRequest("scopes must be an array.")
	}
	out := make([]tenant.Scope, len(list))
	for i, e := range list {
		name, ok := e.(string)
		if !ok {
			return nil, badRequest("scopes must be an array of strings.")
		}
		out[i] = tenant.Scope(name)
	}
	return out, nil
}

func (a *api) listTokens(w http.ResponseWriter, r *http.Request) error {
	tokens, err := a.tenants.Tokens(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, lists.Answer("tokens", lists.Objects(tokens, shown.Token), ""))
}

func (a *api) getToken(w http.ResponseWriter, r *http.Request) error {
	tokens, err := a.tenants.Tokens(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.ID == r.PathValue("token") {
			return inUse(w, shown.TokenTag(t), shown.Token(t))
		}
	}
	return tenant.ErrNotFound
}

func (a *api) revealToken(w http.ResponseWriter, r *http.Request) error {
	token, err := a.tenants.Reveal(r.Context(), r.PathValue("id"), r.PathValue("token"))
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, scim.Object{"id": token.ID, "value": token.Value})
}

func (a *api) revokeToken(w http.ResponseWriter, r *http.Request) error {
	query, err := asked(r, "force")
	if err != nil {
		return err
	}
	force := query("force")
	if force != "" && force != "true" && force != "false" {
		return badRequest("force must be true or false.")
	}
	if err := a.tenants.Revoke(r.Context(), r.PathValue("id"), r.PathValue("token"), force == "true"); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
