package adminhttp

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func (a *api) domainRoutes() map[string]methods {
	return map[string]methods{
		"/tenants/{id}/domains": {"GET": a.listDomains, "POST": a.addDomain},
		"/tenants/{id}/domains/{name}": {
			"GET": a.getDomain, "DELETE": conditional(a.removeDomain, shown.OfDomain),
		},
		"/tenants/{id}/domains/{name}/verify": {"POST": conditional(a.verifyDomain, shown.OfDomain)},
	}
}

// named is the domain in the path, in A-label form.
func named(r *http.Request) (string, error) {
	name, err := claim.Parse(r.PathValue("name"))
	if err != nil {
		return "", noDomain(tenant.ErrNotFound)
	}
	return name, nil
}

// noDomain turns tenant.ErrNotFound into a 404 that names the missing thing.
func noDomain(err error) error {
	if errors.Is(err, tenant.ErrNotFound) {
		return &problem{status: http.StatusNotFound, detail: "The tenant or domain does not exist."}
	}
	return err
}

// warnOfDomains warns of a policy that takes only addresses of verified domains if the tenant has none.
func (a *api) warnOfDomains(ctx context.Context, t member.Tenant, document []byte) ([]mapping.Warning, error) {
	requests, err := mapping.ParseRequests(document, t.Types)
	if err != nil || len(requests.Domains) == 0 {
		return nil, err
	}
	all, err := a.domains.List(ctx, t.ID)
	if err != nil || slices.ContainsFunc(all, func(d claim.Domain) bool { return d.State == claim.Verified }) {
		return nil, err
	}
	return []mapping.Warning{{
		Pointer: "/requests/domains",
		Reason:  "The tenant has no verified domain: each user with a value in these attributes is refused.",
	}}, nil
}

func (a *api) listDomains(w http.ResponseWriter, r *http.Request) error {
	named := lists.Named(r)
	all, err := a.domains.List(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	all = lists.Only(all, func(d claim.Domain) bool { return named(d.Name) })
	return ok(w, http.StatusOK, lists.Answer("domains", lists.Objects(all, shown.Domain), ""))
}

func (a *api) addDomain(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "name")
	if err != nil {
		return err
	}
	name, err := text(o, "name")
	if err != nil {
		return err
	}
	d, added, err := a.domains.Add(r.Context(), r.PathValue("id"), name)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if added {
		w.Header().Set("Location", r.URL.Path+"/"+d.Name)
		status = http.StatusCreated
	}
	w.Header().Set("ETag", shown.DomainTag(d))
	return ok(w, status, shown.Domain(d))
}

func (a *api) getDomain(w http.ResponseWriter, r *http.Request) error {
	name, err := named(r)
	if err != nil {
		return err
	}
	d, err := a.domains.Get(r.Context(), r.PathValue("id"), name)
	if err != nil {
		return noDomain(err)
	}
	return inUse(w, shown.DomainTag(d), shown.Domain(d))
}

func (a *api) removeDomain(w http.ResponseWriter, r *http.Request) error {
	name, err := named(r)
	if err != nil {
		return err
	}
	if err := a.domains.Remove(r.Context(), r.PathValue("id"), name); err != nil {
		return noDomain(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// verifyDomain answers with the domain, verified or not, and with the answer of the DNS if that was asked.
func (a *api) verifyDomain(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, true, "override")
	if err != nil {
		return err
	}
	override, isBool := o["override"].(bool)
	if o["override"] != nil && !isBool {
		return badRequest("override must be true or false.")
	}
	name, err := named(r)
	if err != nil {
		return err
	}
	if override {
		d, err := a.domains.Override(r.Context(), r.PathValue("id"), name)
		if err != nil {
			return noDomain(err)
		}
		return inUse(w, shown.DomainTag(d), shown.Domain(d))
	}
	d, answer, err := a.domains.Verify(r.Context(), r.PathValue("id"), name)
	if err != nil {
		return noDomain(err)
	}
	o = shown.Domain(d)
	o["answer"] = string(answer)
	return inUse(w, shown.DomainTag(d), o)
}
