package scimhttp

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// serviceProviderConfig answers /ServiceProviderConfig (RFC 7644, section 4).
func (h *handler) serviceProviderConfig(_ context.Context, rq *request) (answer, error) {
	return h.document(rq, "/ServiceProviderConfig", func() (scim.Object, error) { return h.configuration(rq), nil })
}

// configuration returns the ServiceProviderConfig (RFC 7643, section 5). A client without a token gets the same
// document without the tenant's own values.
func (h *handler) configuration(rq *request) scim.Object {
	supported := func(yes bool) scim.Object { return scim.Object{"supported": yes} }
	config := scim.Object{
		"patch": supported(true),
		"bulk": scim.Object{
			"supported": true, "maxOperations": int64(maxOperations),
			"maxPayloadSize": h.MaxBodyBytes,
		},
		"filter":         scim.Object{"supported": true, "maxResults": int64(maxResults)},
		"changePassword": supported(false),
		"sort":           supported(true),
		"etag":           supported(true),
		"pagination": scim.Object{
			"cursor": true, "index": true, "defaultPaginationMethod": "index",
			"defaultPageSize": int64(defaultCount), "maxPageSize": int64(maxResults),
			"cursorTimeout": int64(directory.CursorLife / time.Second),
		},
		"authenticationSchemes": []any{scim.Object{
			"type":        "oauthbearertoken",
			"name":        "OAuth Bearer Token",
			"description": "A token in the Authorization header, after the word Bearer.",
			"specUri":     "https://www.rfc-editor.org/info/rfc6750",
			"primary":     true,
		}, scim.Object{
			"type":        "oauth2",
			"name":        "OAuth 2.0 client credentials",
			"description": "An access token from " + rq.tokenEndpoint() + ", sent as a bearer token.",
			"specUri":     "https://www.rfc-editor.org/info/rfc6749",
		}},
	}
	if rq.tenant.Dialect.InteropProfile {
		config["interopProfileConformant"] = true
	}
	return rq.withMeta(config, scim.ServiceProviderConfigURN, "ServiceProviderConfig", "/ServiceProviderConfig")
}

// tokenEndpoint names the URL of a tenant's token endpoint. For a client without a token it names no tenant.
func (rq *request) tokenEndpoint() string {
	if rq.tenant.ID == "" {
		return "the tenant's token endpoint, which this document names to whoever reads it with a token"
	}
	id := url.PathEscape(rq.tenant.ID)
	return strings.TrimSuffix(rq.base, "/scim/v2/"+id) + "/oauth2/" + id + "/token"
}

// listResourceTypes answers /ResourceTypes (RFC 7643, section 6).
func (h *handler) listResourceTypes(_ context.Context, rq *request) (answer, error) {
	if err := rq.refuseFilter(); err != nil {
		return answer{}, err
	}
	return h.document(rq, "/ResourceTypes", func() (scim.Object, error) {
		var all []any
		for _, rt := range rq.shownTypes() {
			all = append(all, rq.resourceType(rt))
		}
		return listOf(all), nil
	})
}

// getResourceType answers /ResourceTypes/{id}.
func (h *handler) getResourceType(_ context.Context, rq *request) (answer, error) {
	if err := rq.refuseFilter(); err != nil {
		return answer{}, err
	}
	return h.document(rq, "/ResourceTypes/"+strings.ToLower(rq.target.id), func() (scim.Object, error) {
		for _, rt := range rq.shownTypes() {
			if strings.EqualFold(rt.ID, rq.target.id) {
				return rq.resourceType(rt), nil
			}
		}
		return nil, scim.Errorf(http.StatusNotFound, scim.NoType, "Unknown resource type. /ResourceTypes lists all.")
	})
}

// listSchemas answers /Schemas (RFC 7643, section 7).
func (h *handler) listSchemas(_ context.Context, rq *request) (answer, error) {
	if err := rq.refuseFilter(); err != nil {
		return answer{}, err
	}
	return h.document(rq, "/Schemas", func() (scim.Object, error) {
		var all []any
		for _, s := range rq.shownSchemas() {
			all = append(all, rq.schema(s))
		}
		return listOf(all), nil
	})
}

// getSchema answers /Schemas/{urn}. URNs have no case (RFC 8141, section 3.1, for the part that differs here).
func (h *handler) getSchema(_ context.Context, rq *request) (answer, error) {
	if err := rq.refuseFilter(); err != nil {
		return answer{}, err
	}
	return h.document(rq, "/Schemas/"+strings.ToLower(rq.target.id), func() (scim.Object, error) {
		for _, s := range rq.shownSchemas() {
			if strings.EqualFold(s.ID, rq.target.id) {
				return rq.schema(s), nil
			}
		}
		return nil, scim.Errorf(http.StatusNotFound, scim.NoType, "Unknown schema. /Schemas lists all.")
	})
}

// shownTypes are the resource types that discovery shows, memberships among them if the tenant has them.
func (rq *request) shownTypes() []*schema.ResourceType {
	all := rq.tenant.ResourceTypes().All()
	if rq.account.GroupMemberships() {
		all = append(slices.Clip(all), schema.MembershipType())
	}
	return all
}

func (rq *request) shownSchemas() []*schema.Schema {
	all := rq.tenant.ResourceTypes().Schemas()
	if rq.account.GroupMemberships() {
		all = append(slices.Clip(all), schema.GroupMembership())
	}
	return all
}

// refuseFilter answers 403 to a filter, so that no client takes the whole list for its result (RFC 7644, section
// 4). Everything else in the query is ignored.
func (rq *request) refuseFilter() error {
	p, err := parseQuery(rq.URL.RawQuery)
	if err != nil {
		return err
	}
	for _, v := range p["filter"] {
		if v != "" {
			return scim.Errorf(http.StatusForbidden, scim.NoType,
				"This endpoint can't be filtered; read it without a filter.")
		}
	}
	return nil
}

func (rq *request) resourceType(rt *schema.ResourceType) scim.Object {
	return rq.withMeta(rt.Object(), scim.ResourceTypeURN, "ResourceType", "/ResourceTypes/"+rt.ID)
}

// schema is a schema as the tenant's clients are shown it.
func (rq *request) schema(s *schema.Schema) scim.Object {
	var hidden []string
	if rq.tenant.Dialect.ShortSchemas {
		hidden = append(hidden, "password")
		switch s.ID {
		case scim.UserURN:
			hidden = append(hidden, "emails.display")
		case scim.GroupURN:
			hidden = append(hidden, "members.$ref", "members.type")
		}
	}
	if rq.tenant.Dialect.HideMeta {
		hidden = append(hidden, "meta")
	}
	o := s.Object(hidden...)
	if rq.tenant.Dialect.InteropProfile {
		declareTypes(o["attributes"])
	}
	if s.ID == scim.GroupURN && rq.tenant.UniqueGroupNames {
		declareUnique(o["attributes"], "displayName")
	}
	return rq.withMeta(o, scim.SchemaURN, "Schema", "/Schemas/"+s.ID)
}

// declareUnique sets an attribute's uniqueness: its values are unique within the tenant (RFC 7643, section 7).
func declareUnique(attributes any, name string) {
	list, _ := attributes.([]any)
	for _, element := range list {
		if attribute, _ := element.(scim.Object); attribute["name"] == name {
			attribute["uniqueness"] = string(schema.Server)
		}
	}
}

// declareTypes gives every sub-attribute `type` that has no canonical values the usual ones (RFC 7643, section 2.4).
func declareTypes(attributes any) {
	list, _ := attributes.([]any)
	for _, element := range list {
		attribute, _ := element.(scim.Object)
		subs, _ := attribute["subAttributes"].([]any)
		for _, element := range subs {
			sub, _ := element.(scim.Object)
			if sub["name"] == "type" && attribute["multiValued"] == true && sub["canonicalValues"] == nil {
				sub["canonicalValues"] = []any{"work", "home", "other"}
			}
		}
	}
}

// withMeta completes the representation of something that discovery shows.
func (rq *request) withMeta(o scim.Object, urn, resourceType, path string) scim.Object {
	o["schemas"] = []any{urn}
	o["meta"] = scim.Object{"resourceType": resourceType, "location": rq.base + path}
	return o
}
