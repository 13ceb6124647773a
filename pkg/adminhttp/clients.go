package adminhttp

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/assertion"
)

// clientRoutes are the paths of OAuth clients: those of a tenant, and, without one, those of the operator for many
// tenants.
func (a *api) clientRoutes() map[string]methods {
	routes := map[string]methods{}
	for _, owner := range []string{"", "/tenants/{id}"} {
		routes[owner+"/clients"] = methods{"GET": a.listClients, "POST": a.createClient}
		routes[owner+"/clients/{client}"] = methods{
			"GET": a.getClient, "POST": conditional(a.renewClient, shown.OfClient),
			"DELETE": conditional(a.deleteClient, shown.OfClient),
		}
		routes[owner+"/clients/{client}/secrets/{secret}"] = methods{
			"DELETE": conditional(a.revokeClientSecret, shown.OfClient),
		}
	}
	return routes
}

// owner is the tenant of the path; without one the clients are the operator's.
func owner(r *http.Request) string {
	if id := r.PathValue("id"); id != "" {
		return id
	}
	return tenant.OperatorClients
}

// noClient turns tenant.ErrNotFound into a 404 that names the missing thing.
func noClient(err error) error {
	if errors.Is(err, tenant.ErrNotFound) {
		return &problem{status: http.StatusNotFound, detail: "The tenant, client or secret does not exist."}
	}
	return err
}

func (a *api) createClient(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, true, "id", "name", "scopes", "jwks", "expiresAt")
	if err != nil {
		return err
	}
	n, err := newClient(o)
	if err != nil {
		return err
	}
	c, err := a.tenants.CreateClient(r.Context(), owner(r), n)
	if err != nil {
		return noClient(err)
	}
	w.Header().Set("Location", r.URL.Path+"/"+c.ID)
	w.Header().Set("ETag", shown.ClientTag(c.Client))
	return ok(w, http.StatusCreated, a.issuedClient(r, c))
}

// renewClient creates another secret, or replaces the keys.
func (a *api) renewClient(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, true, "jwks", "expiresAt")
	if err != nil {
		return err
	}
	n, err := newClient(o)
	if err != nil {
		return err
	}
	c, err := a.tenants.RenewClient(r.Context(), owner(r), r.PathValue("client"), n)
	if err != nil {
		return noClient(err)
	}
	w.Header().Set("ETag", shown.ClientTag(c.Client))
	return ok(w, http.StatusOK, a.issuedClient(r, c))
}

func newClient(o scim.Object) (n tenant.NewClient, err error) {
	if n.ID, err = chosenID(o); err != nil {
		return n, err
	}
	if n.Name, err = text(o, "name"); err != nil {
		return n, err
	}
	if v := o["scopes"]; v != nil {
		if n.Scopes, err = scopes(v); err != nil {
			return n, err
		}
	}
	if _, given := o["expiresAt"]; given {
		if n.ExpiresAt, n.Endless, err = end(o); err != nil {
			return n, err
		}
	}
	if v := o["jwks"]; v != nil {
		set, ok := v.(scim.Object)
		if !ok {
			return n, badRequest("jwks must be a JSON Web Key Set, an object with an array of keys.")
		}
		n.Keys, err = assertion.AcceptKeys(scim.AppendJSON(nil, set))
		if bad := (*assertion.KeysError)(nil); errors.As(err, &bad) {
			return n, badRequest("jwks " + bad.Problem + ".")
		}
	}
	return n, err
}

func (a *api) listClients(w http.ResponseWriter, r *http.Request) error {
	named := lists.Named(r)
	clients, err := a.tenants.Clients(r.Context(), owner(r))
	if err != nil {
		return noClient(err)
	}
	clients = lists.Only(clients, func(c tenant.Client) bool { return named(c.Name) })
	return ok(w, http.StatusOK, lists.Answer("clients", lists.Objects(clients, func(c tenant.Client) scim.Object {
		return a.client(r, c)
	}), ""))
}

func (a *api) getClient(w http.ResponseWriter, r *http.Request) error {
	c, err := a.tenants.Client(r.Context(), owner(r), r.PathValue("client"))
	if err != nil {
		return noClient(err)
	}
	return inUse(w, shown.ClientTag(c), a.client(r, c))
}

func (a *api) deleteClient(w http.ResponseWriter, r *http.Request) error {
	if err := a.tenants.DeleteClient(r.Context(), owner(r), r.PathValue("client")); err != nil {
		return noClient(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) revokeClientSecret(w http.ResponseWriter, r *http.Request) error {
	if err := a.tenants.RevokeClientSecret(
		r.Context(), owner(r), r.PathValue("client"), r.PathValue("secret")); err != nil {
		return noClient(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// client is a client as the API shows it.
func (a *api) client(r *http.Request, c tenant.Client) scim.Object {
	return shown.Client(c, a.base(r)+"/oauth2/"+cmp.Or(r.PathValue("id"), "{tenant}")+"/token")
}

// issuedClient is a client with the value of its newest secret.
func (a *api) issuedClient(r *http.Request, c tenant.IssuedClient) scim.Object {
	o := a.client(r, c.Client)
	if c.Secret != "" {
		o["secret"] = c.Secret
	}
	return o
}
