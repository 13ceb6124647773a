package scimhttp

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// operation carries out an authorized request.
type operation func(h *handler, ctx context.Context, rq *request) (answer, error)

// route is an endpoint: its path, its resource type and its operations by method.
type route struct {
	// pattern is the path after the tenant's base URL, for the log.
	pattern string
	// rt is the resource type of the endpoint; nil if it serves none.
	rt *schema.ResourceType
	// open says that it may be read without a token.
	open bool
	// discovery says that its answer follows from the tenant's own item, without another read.
	discovery bool
	// reads says that its POST changes nothing.
	reads bool
	// missing is the detail of the 501 of an endpoint of the RFC that this server does not offer; else empty.
	missing string
	methods map[string]operation
}

// routes are the endpoints of RFC 7644 section 3.2 that serve no single resource type, by target.key. Those of
// users and groups hold only the pattern, for the log of a request that is refused before its tenant's types are
// known.
func routes() map[string]*route {
	get := func(op operation) map[string]operation { return map[string]operation{http.MethodGet: op} }
	discovery := func(pattern string, op operation) *route {
		return &route{pattern: pattern, discovery: true, methods: get(op)}
	}
	search := map[string]operation{http.MethodPost: (*handler).search}
	return map[string]*route{
		"me": {
			pattern: "/Me",
			missing: "The endpoint /Me is not supported: a token of this server does not belong to a user.",
		},
		"bulk":        {pattern: "/Bulk", methods: map[string]operation{http.MethodPost: (*handler).bulk}},
		"/":           {pattern: "/", methods: get((*handler).list)},
		searchSegment: {pattern: "/.search", reads: true, methods: search},
		"serviceproviderconfig": {
			pattern: "/ServiceProviderConfig", open: true, discovery: true,
			methods: get((*handler).serviceProviderConfig),
		},
		"resourcetypes":      discovery("/ResourceTypes", (*handler).listResourceTypes),
		"resourcetypes/{id}": discovery("/ResourceTypes/{id}", (*handler).getResourceType),
		"schemas":            discovery("/Schemas", (*handler).listSchemas),
		"schemas/{id}":       discovery("/Schemas/{id}", (*handler).getSchema),
		"users":              {pattern: "/Users"},
		"users/{id}":         {pattern: "/Users/{id}"},
		"users/.search":      {pattern: "/Users/.search"},
		"groups":             {pattern: "/Groups"},
		"groups/{id}":        {pattern: "/Groups/{id}"},
		"groups/.search":     {pattern: "/Groups/.search"},
	}
}

// kinds are the operations of the endpoints of resource types, by the rest of target.key behind the endpoint.
type kinds struct {
	of map[string]map[string]operation
	// memberships are those of "{id}" for memberships: no PUT and PATCH, because a membership has nothing to change.
	memberships map[string]operation
}

func newKinds() kinds {
	return kinds{
		of: map[string]map[string]operation{
			"": {http.MethodGet: (*handler).list, http.MethodPost: (*handler).create},
			"{id}": {
				http.MethodGet: (*handler).get, http.MethodPut: (*handler).replace,
				http.MethodPatch: (*handler).patch, http.MethodDelete: (*handler).remove,
			},
			searchSegment: {http.MethodPost: (*handler).search},
		},
		memberships: map[string]operation{http.MethodGet: (*handler).get, http.MethodDelete: (*handler).remove},
	}
}

// route returns the route of a resource type's endpoint; nil if there is none at the rest of target.key behind it.
func (k kinds) route(rt *schema.ResourceType, behind string) *route {
	methods := k.of[behind]
	switch {
	case methods == nil:
		return nil
	case behind == "":
		return &route{rt: rt, pattern: rt.Endpoint, methods: methods}
	case behind == "{id}" && rt == schema.MembershipType():
		methods = k.memberships
	}
	return &route{rt: rt, pattern: rt.Endpoint + "/" + behind, reads: behind == searchSegment, methods: methods}
}

// find returns the route of an authenticated request: one of its resource types, or an endpoint that every tenant
// has.
func (h *handler) find(rq *request) *route {
	endpoint, behind, _ := strings.Cut(rq.target.key, "/")
	rt := rq.endpoint(endpoint)
	if rt == nil {
		return h.routes[rq.target.key]
	}
	return h.kinds.route(rt, behind)
}

// endpoint is the resource type whose endpoint is name, in any case; nil if the tenant has none.
func (rq *request) endpoint(name string) *schema.ResourceType {
	if rq.account.GroupMemberships() && strings.EqualFold("/"+name, schema.MembershipType().Endpoint) {
		return schema.MembershipType()
	}
	return rq.tenant.ResourceTypes().ByEndpoint(name)
}

// target is a parsed path.
type target struct {
	// tenant is the tenant's id as written, not checked yet.
	tenant string
	// key is the endpoint: its name in lower case, with "/{id}" if an id follows; "/" for the root.
	key string
	// id is the id of a resource, a resource type or a schema, as written.
	id string
}

// searchSegment is a path segment in the place of an id (RFC 7644, section 3.4.3).
const searchSegment = ".search"

// parsePath takes apart a decoded path. Endpoint names may have any case and a slash may end them; ids are taken as
// they are. known is false for a path without a tenant.
func parsePath(path string) (t target, known bool) {
	rest, found := strings.CutPrefix(path, "/scim/")
	if !found || strings.Contains(path, "//") {
		return target{}, false
	}
	segments := strings.SplitN(strings.TrimSuffix(rest, "/"), "/", 5)
	if segments[0] == "v2" {
		segments = segments[1:]
	}
	if len(segments) == 0 || segments[0] == "" {
		return target{}, false
	}
	t.tenant, segments = segments[0], segments[1:]
	switch len(segments) {
	case 0:
		t.key = "/"
	case 1:
		t.key = strings.ToLower(segments[0])
	case 2:
		t.key, t.id = strings.ToLower(segments[0])+"/{id}", segments[1]
		if strings.EqualFold(t.id, searchSegment) {
			t.key, t.id = strings.ToLower(segments[0])+"/"+searchSegment, ""
		}
	}
	return t, true
}

// large reports whether an answer to a method may be large.
func (t target) large(method string) bool {
	switch {
	case strings.HasSuffix(t.key, searchSegment):
		return true
	case method != http.MethodGet && method != http.MethodHead:
		return false
	case t.key == "groups/{id}":
		return true
	case t.key == "serviceproviderconfig", t.key == "resourcetypes", t.key == "schemas":
		return false // of the size of the tenant's schemas, and kept
	}
	return t.id == ""
}

// openToAll reports whether the request asks for something public without a token: a client may look at the
// configuration before it has one (RFC 7644, section 4).
func (rq *request) openToAll() bool {
	return rq.route != nil && rq.route.open && rq.reads() && rq.Header.Get("Authorization") == ""
}

// discovers reports whether nothing but the tenant has to be read for the answer.
func (rq *request) discovers() bool { return rq.route != nil && rq.route.discovery }

func (rq *request) reads() bool { return rq.Method == http.MethodGet || rq.Method == http.MethodHead }

// operation returns the request's operation. If there is none, op is nil, and the answer or the error gives the
// reason.
func (rq *request) operation() (op operation, a answer, err error) {
	switch {
	case rq.route == nil:
		return nil, a, scim.Errorf(http.StatusNotFound, scim.NoType,
			"There is no such endpoint. ServiceProviderConfig, ResourceTypes and Schemas list the endpoints.")
	case rq.route.missing != "":
		return nil, a, scim.Errorf(http.StatusNotImplemented, scim.NoType, "%s", rq.route.missing)
	}
	method := rq.Method
	if rq.reads() {
		method = http.MethodGet
	}
	op = rq.route.methods[method]
	if op == nil {
		return nil, rq.notAllowed(), nil
	}
	reads := rq.reads() || rq.route.reads
	if reads && !rq.token.CanRead() || !reads && !rq.token.CanWrite() {
		return nil, a, &scopeError{method: method}
	}
	return op, a, nil
}

// notAllowed is the 405 for a method that the endpoint does not have.
func (rq *request) notAllowed() answer {
	methods := slices.Sorted(maps.Keys(rq.route.methods))
	if rq.route.methods[http.MethodGet] != nil {
		methods = append(methods, http.MethodHead)
	}
	allow := strings.Join(methods, ", ")
	rq.failed = scim.Errorf(http.StatusMethodNotAllowed, scim.NoType, "This endpoint allows only %s.", allow)
	a := errorAnswer(rq.failed)
	a.header.Set("Allow", allow)
	return a
}
