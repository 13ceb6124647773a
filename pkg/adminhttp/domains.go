package adminhttp

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func (a *api) domainRoutes() map[string]methods {
	return map[string]methods{
		"/tenants/{id}/domains":               {"GET": a.listDomains, "POST": a.addDomain},
		"/tenants/{id}/domains/{name}":        {"GET": a.getDomain, "DELETE": a.removeDomain},
		"/tenants/{id}/domains/{name}/verify": {"POST": a.verifyDomain},
	}
}

func domainObject(d claim.Domain) scim.Object {
	o := scim.Object{
		"name": d.Name, "state": string(d.State), "verifiedAt": nil, "by": nil,
		"record": scim.Object{"type": "TXT", "name": claim.RecordName(d.Name), "value": d.Value},
	}
	if d.At != 0 {
		o["by"], o["verifiedAt"] = d.By, timestamp(time.Unix(d.At, 0))
	}
	if f := d.Failing; f != nil {
		o["failing"] = scim.Object{
			"since": timestamp(time.Unix(f.Since, 0)), "lastAt": timestamp(time.Unix(f.Last, 0)), "times": int64(f.Times),
			"answer": string(f.Answer),
		}
	}
	if d.LostAt != 0 {
		o["lostAt"] = timestamp(time.Unix(d.LostAt, 0))
	}
	return o
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
	all, err := a.domains.List(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, listed("domains", objects(all, domainObject), ""))
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
	return ok(w, status, domainObject(d))
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
	return ok(w, http.StatusOK, domainObject(d))
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
		return ok(w, http.StatusOK, domainObject(d))
	}
	d, answer, err := a.domains.Verify(r.Context(), r.PathValue("id"), name)
	if err != nil {
		return noDomain(err)
	}
	o = domainObject(d)
	o["answer"] = string(answer)
	return ok(w, http.StatusOK, o)
}
