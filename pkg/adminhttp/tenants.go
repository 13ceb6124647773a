package adminhttp

import (
	"context"
	"net/http"
	"strconv"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// defaultCount is the length of a page of tenants if the request names none.
const defaultCount = 100

func (a *api) createTenant(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "id", "name", "idp", "settings")
	if err != nil {
		return err
	}
	n, err := newTenant(o)
	if err != nil {
		return err
	}
	t, token, err := a.tenants.Create(r.Context(), n)
	if err != nil {
		return err
	}
	answer := a.tenant(r, t)
	answer["token"] = shown.IssuedToken(token)
	w.Header().Set("Location", Root+"/tenants/"+t.ID)
	w.Header().Set("ETag", shown.TenantTag(t))
	return ok(w, http.StatusCreated, answer)
}

func newTenant(o scim.Object) (n tenant.NewTenant, err error) {
	if n.ID, err = chosenID(o); err != nil {
		return n, err
	}
	if n.Name, err = text(o, "name"); err != nil {
		return n, err
	}
	if n.IdP, err = text(o, "idp"); err != nil {
		return n, err
	}
	switch v := o["settings"].(type) {
	case nil:
	case scim.Object:
		n.Settings, err = tenant.ParseSettings(v)
	default:
		err = badRequest("settings must be an object.")
	}
	return n, err
}

// maxSearched is the number of tenants that one request by name reads; the next page reads further ones.
const maxSearched = 1000

func (a *api) listTenants(w http.ResponseWriter, r *http.Request) error {
	query, err := asked(r, "count", "cursor", "name")
	if err != nil {
		return err
	}
	count := defaultCount
	if text := query("count"); text != "" || r.URL.Query().Has("count") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return badRequest("count must be a whole number of at least 1.")
		}
		count = min(n, tenant.MaxListCount)
	}
	tenants, next, err := a.tenantsNamed(r.Context(), query("name"), count, query("cursor"))
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, lists.Answer("tenants", lists.Objects(tenants, func(t tenant.Tenant) scim.Object {
		return a.tenant(r, t)
	}), next))
}

// tenantsNamed lists the tenants whose name begins with prefix, upper or lower case. A page may be short, or empty,
// though there is a next one.
func (a *api) tenantsNamed(ctx context.Context, prefix string, count int, cursor string) (
	found []tenant.Tenant, next string, err error,
) {
	if prefix == "" {
		return a.tenants.List(ctx, count, cursor)
	}
	all, next, err := a.tenants.List(ctx, maxSearched, cursor)
	if err != nil {
		return nil, "", err
	}
	named := lists.Begins(prefix)
	for _, t := range all {
		if !named(t.Name) {
			continue
		}
		if len(found) == count {
			return found, tenant.CursorBehind(found[count-1].ID), nil
		}
		found = append(found, t)
	}
	return found, next, nil
}

func (a *api) getTenant(w http.ResponseWriter, r *http.Request) error {
	t, err := a.tenants.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return tagged(w, r, shown.TenantTag(t), a.tenant(r, t))
}

func (a *api) changeTenant(w http.ResponseWriter, r *http.Request) error {
	patch, err := body(r, false, "name", "idp", "active", "settings")
	if err != nil {
		return err
	}
	t, err := a.tenants.Change(r.Context(), r.PathValue("id"), patch)
	if err != nil {
		return err
	}
	return tagged(w, r, shown.TenantTag(t), a.tenant(r, t))
}

// disconnect ends all access of the tenant's identity provider, and answers the numbers of tokens and clients that
// ended.
func (a *api) disconnect(w http.ResponseWriter, r *http.Request) error {
	if _, err := body(r, true); err != nil {
		return err
	}
	ended, err := a.tenants.Disconnect(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, scim.Object{"tokens": int64(ended.Tokens), "clients": int64(ended.Clients)})
}

func (a *api) deleteTenant(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := a.tenants.Delete(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// tenant is a tenant as the API shows it.
func (a *api) tenant(r *http.Request, t tenant.Tenant) scim.Object {
	return scim.Object{
		"id": t.ID, "name": t.Name, "idp": t.IdP, "active": t.Active, "settings": t.Settings.Object(),
		"scimBaseUrl": a.base(r) + "/scim/v2/" + t.ID, "createdAt": shown.Time(t.Created),
	}
}

// base is scheme and host of the deployment: the configured ones, or else those of the request.
func (a *api) base(r *http.Request) string {
	base, err := web.Base(a.baseURL, r)
	if err != nil {
		return "" // a Host that can't stand in a URL: the path alone is still right
	}
	return base
}
