package adminhttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/etag"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// errNoCheck says that stored data is not checked.
var errNoCheck = errors.New("adminhttp: no CheckTypes is configured")

// withPolicy looks at the saved policy, which is one read, and then does check, which may read all resources.
func withPolicy(check tenant.CheckTypes, members *member.Service) tenant.CheckTypes {
	return func(ctx context.Context, tenantID string, old, next *schema.Types) error {
		if err := members.CheckTypes(ctx, tenantID, old, next); err != nil {
			return err
		}
		return check(ctx, tenantID, old, next)
	}
}

// missing is the answer for a schema or resource type that is not defined for a tenant.
func missing(what, name string) error {
	return &problem{
		status: http.StatusNotFound,
		detail: fmt.Sprintf("The tenant does not have the %s %s.", what, scim.Quote(name)),
	}
}

// definitionBody reads the body of a PUT. Its id must be the name in the path; if it is missing, the name is put in.
// createdAt, which GET adds, is not part of it.
func definitionBody(w http.ResponseWriter, r *http.Request, name string) (scim.Object, error) {
	o, err := document(r, false, define.MaxDefinitionBytes)
	if err != nil {
		return nil, err
	}
	delete(o, "createdAt")
	for key, v := range o {
		if !strings.EqualFold(key, "id") {
			continue
		}
		if id, ok := v.(string); !ok || !strings.EqualFold(id, name) {
			return nil, badRequest(key + " must be the name in the path, " + scim.Quote(name) + ".")
		}
		return o, nil
	}
	o["id"] = name
	return o, nil
}

// put responds to a PUT with the new definition.
func put(w http.ResponseWriter, created bool, location, tag string, o scim.Object) error {
	w.Header().Set("Location", location)
	w.Header().Set("ETag", tag)
	if created {
		return ok(w, http.StatusCreated, o)
	}
	return ok(w, http.StatusOK, o)
}

// schemaTag is the entity tag of a schema of the tenant's own; "" if there is none.
func schemaTag(d define.Definitions, urn string) string {
	s := d.Schema(urn)
	if s == nil {
		return ""
	}
	return etag.Of(s.Object())
}

// typeTag is the entity tag of a resource type; "" if there is none.
func typeTag(d define.Definitions, id string) string {
	t, found := d.ResourceType(id)
	if !found {
		return ""
	}
	return etag.Of(t.Object())
}

func (a *api) listSchemas(w http.ResponseWriter, r *http.Request) error {
	named := lists.Named(r)
	d, err := a.tenants.Definitions(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	all := lists.Only(d.Schemas, func(s *schema.Schema) bool { return named(s.Name, s.ID) })
	return ok(w, http.StatusOK, lists.Answer("schemas", lists.Objects(all, func(s *schema.Schema) scim.Object {
		return shown.Schema(d, s)
	}), ""))
}

func (a *api) getSchema(w http.ResponseWriter, r *http.Request) error {
	d, err := a.tenants.Definitions(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	s := d.Schema(r.PathValue("urn"))
	if s == nil {
		return missing("schema", r.PathValue("urn"))
	}
	return tagged(w, r, etag.Of(s.Object()), shown.Schema(d, s))
}

func (a *api) putSchema(w http.ResponseWriter, r *http.Request) error {
	id, urn := r.PathValue("id"), r.PathValue("urn")
	o, err := definitionBody(w, r, urn)
	if err != nil {
		return err
	}
	s, err := define.ParseSchema(o)
	if err != nil {
		return err
	}
	created := false
	saved, err := a.tenants.Define(r.Context(), id, func(d define.Definitions) (define.Definitions, error) {
		created = d.Schema(urn) == nil
		return d.With(s), allowed(r, schemaTag(d, urn))
	}, a.check)
	if err != nil {
		return err
	}
	location := Root + "/tenants/" + id + "/schemas/" + url.PathEscape(s.ID)
	return put(w, created, location, etag.Of(s.Object()), shown.Schema(saved, s))
}

func (a *api) deleteSchema(w http.ResponseWriter, r *http.Request) error {
	urn := r.PathValue("urn")
	_, err := a.tenants.Define(r.Context(), r.PathValue("id"), func(d define.Definitions) (define.Definitions, error) {
		if d.Schema(urn) == nil {
			return d, missing("schema", urn)
		}
		if err := allowed(r, schemaTag(d, urn)); err != nil {
			return d, err
		}
		if user := userOf(d, urn); user != "" {
			return d, &tenant.ConflictError{
				Detail: fmt.Sprintf("The resource type %s uses the schema. Change or delete that first.", user),
			}
		}
		return d.Without(urn), nil
	}, a.check)
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// userOf is the id of a defined resource type that uses a schema; "" if none does. The enterprise extension exists
// without a definition.
func userOf(d define.Definitions, urn string) string {
	if strings.EqualFold(urn, scim.EnterpriseUserURN) {
		return ""
	}
	for _, t := range d.ResourceTypes {
		if strings.EqualFold(t.Schema, urn) {
			return t.ID
		}
		for _, e := range t.Extensions {
			if strings.EqualFold(e.Schema, urn) {
				return t.ID
			}
		}
	}
	return ""
}

func (a *api) listResourceTypes(w http.ResponseWriter, r *http.Request) error {
	named := lists.Named(r)
	d, err := a.tenants.Definitions(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	types := lists.Only(d.ResourceTypes, func(t define.TypeDefinition) bool { return named(t.Name) })
	all := lists.Objects(types, func(t define.TypeDefinition) scim.Object { return shown.ResourceType(d, t) })
	return ok(w, http.StatusOK, lists.Answer("resourceTypes", all, ""))
}

func (a *api) getResourceType(w http.ResponseWriter, r *http.Request) error {
	d, err := a.tenants.Definitions(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	t, found := d.ResourceType(r.PathValue("type"))
	if !found {
		return missing("resource type", r.PathValue("type"))
	}
	return tagged(w, r, etag.Of(t.Object()), shown.ResourceType(d, t))
}

func (a *api) putResourceType(w http.ResponseWriter, r *http.Request) error {
	id, name := r.PathValue("id"), r.PathValue("type")
	o, err := definitionBody(w, r, name)
	if err != nil {
		return err
	}
	t, err := define.ParseResourceType(o)
	if err != nil {
		return err
	}
	created := false
	saved, err := a.tenants.Define(r.Context(), id, func(d define.Definitions) (define.Definitions, error) {
		_, found := d.ResourceType(name)
		created = !found
		return d.WithType(t), allowed(r, typeTag(d, name))
	}, a.check)
	if err != nil {
		return err
	}
	location := Root + "/tenants/" + id + "/resource-types/" + t.ID
	return put(w, created, location, etag.Of(t.Object()), shown.ResourceType(saved, t))
}

func (a *api) deleteResourceType(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("type")
	_, err := a.tenants.Define(r.Context(), r.PathValue("id"), func(d define.Definitions) (define.Definitions, error) {
		if _, found := d.ResourceType(name); !found {
			return d, missing("resource type", name)
		}
		return d.WithoutType(name), allowed(r, typeTag(d, name))
	}, a.check)
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
