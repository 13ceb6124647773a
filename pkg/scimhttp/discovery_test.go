package scimhttp_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// "GET /ServiceProviderConfig 200, own schema URN, readable ... numeric even when unsupported".
func TestServiceProviderConfig(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	r := s.as(a, "GET", "/ServiceProviderConfig", "").want(200).wantHeader("Content-Type", scim.MediaType)
	if r.text("schemas", 0) != scim.ServiceProviderConfigURN {
		t.Errorf("schemas %v", r.at("schemas"))
	}
	for feature, supported := range map[string]bool{
		"patch": true, "bulk": true, "filter": true, "changePassword": false, "sort": true, "etag": true,
	} {
		if got := r.at(feature, "supported"); got != supported {
			t.Errorf("%s.supported is %v, want %v", feature, got, supported)
		}
	}
	for key, want := range map[string]any{
		"cursor": true, "index": true, "defaultPaginationMethod": "index",
		"defaultPageSize": 100.0, "maxPageSize": 1000.0, "cursorTimeout": 3600.0,
	} {
		if got := r.at("pagination", key); got != want {
			t.Errorf("pagination.%s is %v, want %v", key, got, want)
		}
	}
	for _, path := range [][]any{{"bulk", "maxOperations"}, {"bulk", "maxPayloadSize"}, {"filter", "maxResults"}} {
		if _, ok := r.at(path...).(float64); !ok {
			t.Errorf("%v is %v, no number", path, r.at(path...))
		}
	}
	for _, key := range []string{"type", "name", "description"} {
		if r.text("authenticationSchemes", 0, key) == "" {
			t.Errorf("authenticationSchemes[0] has no %s", key)
		}
	}
	if strings.Contains(r.raw, `""`) {
		t.Errorf("an empty string: %s", r.raw)
	}
	want := "http://" + host + "/scim/v2/acme/ServiceProviderConfig"
	if r.text("meta", "location") != want || r.text("meta", "resourceType") != "ServiceProviderConfig" {
		t.Errorf("meta %v", r.at("meta"))
	}
	r.wantHeader("Location", want).wantHeader("Content-Location", want)
	if got := r.text("authenticationSchemes", 1, "description"); !strings.Contains(got,
		" http://"+host+"/oauth2/acme/token,") {
		t.Errorf("the token endpoint is described as %q", got)
	}
}

// "ServiceProviderConfig readable without auth, query parameters ignored", "for any tenant name, known or not".
func TestServiceProviderConfigIsOpen(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	query := "?filter=x+eq+1&sortBy=y&startIndex=9&count=0&attributes=id"
	known := s.send("GET", "/scim/v2/acme/ServiceProviderConfig"+query, "").want(200)
	s.as(a, "GET", "/ServiceProviderConfig"+query, "").want(200)
	unknown := s.send("GET", "/scim/v2/emca/ServiceProviderConfig", "").want(200)
	if strings.ReplaceAll(unknown.raw, "emca", "acme") != known.raw {
		t.Errorf("differs for an unknown tenant: %s", unknown.raw)
	}
	if got := known.text("authenticationSchemes", 1, "description"); strings.Contains(got,
		"/") || !strings.Contains(got, "token endpoint") {
		t.Errorf("the token endpoint is described as %q", got)
	}
	s.send("HEAD", "/scim/v2/acme/ServiceProviderConfig", "").want(200)
	s.send("POST", "/scim/v2/acme/ServiceProviderConfig", "{}").wantError(401, scim.NoType)
}

func TestResourceTypes(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	list := s.as(a, "GET", "/ResourceTypes", "").want(200)
	resources, _ := list.at("Resources").([]any)
	if len(resources) != 2 || list.at("totalResults") != 2.0 || list.text("schemas", 0) != scim.ListResponseURN {
		t.Fatalf("list %s", list.raw)
	}
	for i, name := range []string{"User", "Group"} {
		one := s.as(a, "GET", "/ResourceTypes/"+name, "").want(200)
		for _, r := range []map[string]any{one.body, resources[i].(map[string]any)} {
			meta, _ := r["meta"].(map[string]any)
			if r["id"] != name || r["name"] != name || r["endpoint"] != "/"+name+"s" ||
				meta["location"] != "http://"+host+"/scim/v2/acme/ResourceTypes/"+name {
				t.Errorf("resource type %v", r)
			}
		}
		s.as(a, "GET", "/Schemas/"+one.text("schema"), "").want(200)
	}
	if got := list.text("Resources", 0, "schemaExtensions", 0, "schema"); got != scim.EnterpriseUserURN {
		t.Errorf("extension of User is %q", got)
	}
	s.as(a, "GET", "/ResourceTypes/Thing", "").wantError(404, scim.NoType)
}

// "/Schemas: ListResponse ...; User, Group, EnterpriseUser, and the three meta-schemas; each at /Schemas/{urn};
// unknown -> 404".
func TestSchemas(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	list := s.as(a, "GET", "/Schemas", "").want(200)
	resources, _ := list.at("Resources").([]any)
	if list.at("totalResults") != float64(len(resources)) || list.at("itemsPerPage") != float64(len(resources)) ||
		list.at("startIndex") != 1.0 {
		t.Errorf("totalResults %v of %d", list.at("totalResults"), len(resources))
	}
	var ids []string
	for i := range resources {
		id := list.text("Resources", i, "id")
		ids = append(ids, id)
		one := s.as(a, "GET", "/Schemas/"+id, "").want(200)
		if one.text("id") != id || one.text("schemas", 0) != scim.SchemaURN || one.text("meta",
			"location") != "http://"+host+"/scim/v2/acme/Schemas/"+id {
			t.Errorf("schema %q: %v %v", id, one.at("schemas"), one.at("meta"))
		}
		s.as(a, "GET", "/Schemas/"+strings.ToUpper(id), "").want(200)
	}
	for _, urn := range []string{
		scim.UserURN, scim.GroupURN, scim.EnterpriseUserURN, scim.ServiceProviderConfigURN, scim.ResourceTypeURN,
		scim.SchemaURN,
	} {
		if !strings.Contains(strings.Join(ids, " "), urn) {
			t.Errorf("%s is not listed", urn)
		}
	}
	if regexp.MustCompile(`api:messages`).MatchString(list.raw[len(`{"schemas":["`+scim.ListResponseURN):]) {
		t.Error("a message URN is listed as a schema")
	}
	s.as(a, "GET", "/Schemas/urn:none", "").wantError(404, scim.NoType)
}

// "/Schemas and /ResourceTypes with filter -> 403".
func TestDiscoveryCannotBeFiltered(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for _, path := range []string{"/Schemas", "/ResourceTypes", "/Schemas/" + scim.UserURN, "/ResourceTypes/User"} {
		s.as(a, "GET", path+`?filter=id+eq+"x"`, "").wantError(403, scim.NoType)
		s.as(a, "GET", path+`?Filter=id+eq+"x"`, "").wantError(403, scim.NoType)
		s.as(a, "GET", path+`?startIndex=7&count=0&sortBy=id&attributes=id`, "").want(200)
	}
}

// attribute is an attribute, or a sub-attribute written with a dot, in a schema of /Schemas; nil if it is not there.
func attribute(schema map[string]any, name string) map[string]any {
	list, _ := schema["attributes"].([]any)
	if list == nil {
		list, _ = schema["subAttributes"].([]any)
	}
	name, rest, dotted := strings.Cut(name, ".")
	for _, e := range list {
		if a, _ := e.(map[string]any); a["name"] == name && dotted {
			return attribute(a, rest)
		} else if a["name"] == name {
			return a
		}
	}
	return nil
}

// TestShortSchemas looks for parts at which Entra's validator stops, in /Schemas and in each schema; as input they
// are accepted all the same.
func TestShortSchemas(t *testing.T) {
	s := newServer(t, nil)
	hidden := map[string][]string{scim.UserURN: {"password", "emails.display"}, scim.GroupURN: {
		"members.$ref",
		"members.type",
	}}
	shown := map[string][]string{
		scim.UserURN:  {"emails.value", "emails.type", "phoneNumbers.display", "displayName", "groups.$ref"},
		scim.GroupURN: {"members.value", "members.display", "displayName"},
	}
	for _, idp := range scim.IdPs() {
		a := s.tenant("t-"+idp, idp, tenant.Settings{})
		list := s.as(a, "GET", "/Schemas", "").want(200)
		for i, e := range list.at("Resources").([]any) {
			inList := e.(map[string]any)
			id := list.text("Resources", i, "id")
			alone := s.as(a, "GET", "/Schemas/"+id, "").want(200).body
			for _, schema := range []map[string]any{inList, alone} {
				for _, name := range hidden[id] {
					if got := attribute(schema, name); (got == nil) != (idp == "entra") {
						t.Errorf("%s: %s of %s is %v", idp, name, id, got)
					}
				}
				for _, name := range shown[id] {
					if attribute(schema, name) == nil {
						t.Errorf("%s: no %s in %s", idp, name, id)
					}
				}
			}
		}
	}
	a := s.tenant("acme", "entra", tenant.Settings{})
	r := s.as(a, "POST", "/Users",
		`{"schemas":["`+scim.UserURN+`"],"userName":"a","emails":[{"value":"a@example.com","display":"A"}]}`)
	if r.want(201).text("emails", 0, "display") != "A" {
		t.Errorf("emails.display: %s", r.raw)
	}
}

// TestUniqueGroupNamesInSchemas: /Schemas shows whether a second group of a name is refused, by profile, by
// setting, and at once after a change.
func TestUniqueGroupNamesInSchemas(t *testing.T) {
	s := newServer(t, nil)
	check := func(a account, want string) {
		t.Helper()
		one := s.as(a, "GET", "/Schemas/"+scim.GroupURN, "").want(200).body
		list := s.as(a, "GET", "/Schemas", "").want(200)
		inList, _ := list.at("Resources", 1).(map[string]any)
		for _, schema := range []map[string]any{one, inList} {
			if got := attribute(schema, "displayName")["uniqueness"]; schema["id"] != scim.GroupURN || got != want {
				t.Errorf("%s: uniqueness of displayName is %v, want %s", a.id, got, want)
			}
		}
		user := s.as(a, "GET", "/Schemas/"+scim.UserURN, "").want(200).body
		if got := attribute(user, "displayName")["uniqueness"]; got != "none" {
			t.Errorf("%s: uniqueness of the displayName of users is %v", a.id, got)
		}
	}
	for idp, want := range map[string]string{"generic": "none", "rfc": "none", "okta": "server", "interop": "server"} {
		a := s.tenant("t-"+idp, idp, tenant.Settings{})
		check(a, want)
		change := scim.Object{"settings": scim.Object{"scim": scim.Object{"uniqueGroupNames": want == "none"}}}
		if _, err := s.tenants.Change(t.Context(), a.id, change); err != nil {
			t.Fatal(err)
		}
		check(a, map[string]string{"none": "server", "server": "none"}[want])
	}
}

// TestDiscoveryOfManyTenants reads discovery by turns as tenants with several addresses and profiles: each gets its
// own.
func TestDiscoveryOfManyTenants(t *testing.T) {
	s := newServer(t, nil)
	first := map[string]string{}
	for range 2 {
		for i := range 70 {
			id := fmt.Sprintf("tenant-%d", i)
			a, known := account{id: id, token: first[id]}, first[id] != ""
			if !known {
				a = s.tenant(id, scim.IdPs()[i%len(scim.IdPs())], tenant.Settings{})
				first[id] = a.token
			}
			for _, path := range []string{
				"/Schemas", "/ResourceTypes/user", "/ServiceProviderConfig",
				"/Schemas/" + strings.ToUpper(scim.GroupURN),
			} {
				r := s.as(a, "GET", path, "").want(200)
				if n, own := strings.Count(r.raw, "/scim/v2/"), strings.Count(r.raw,
					"/scim/v2/"+id+"/"); n == 0 || n != own {
					t.Fatalf("%s%s: %d of %d addresses are the tenant's own", id, path, own, n)
				}
				if known := first[id+path]; known != "" && known != r.raw {
					t.Fatalf("%s%s has changed to %s", id, path, r.raw)
				}
				first[id+path] = r.raw
			}
		}
	}
}

func TestInteropProfile(t *testing.T) {
	s := newServer(t, nil)
	for _, idp := range []string{"interop", "generic", "rfc"} {
		a := s.tenant(idp, idp, tenant.Settings{})
		if got := s.as(a, "GET", "/ServiceProviderConfig",
			"").want(200).at("interopProfileConformant"); (got == true) != (idp == "interop") {
			t.Errorf("%s: interopProfileConformant is %v", idp, got)
		}
		schemas := s.as(a, "GET", "/Schemas/"+scim.UserURN, "").want(200)
		for _, element := range schemas.body["attributes"].([]any) {
			attribute := element.(map[string]any)
			subs, _ := attribute["subAttributes"].([]any)
			for _, element := range subs {
				sub := element.(map[string]any)
				if idp == "interop" && sub["name"] == "type" && sub["canonicalValues"] == nil {
					t.Errorf("%s.type has no canonical values", attribute["name"])
				}
			}
		}
		r := s.as(a, "POST", "/Users", `{"schemas":["`+scim.UserURN+`","urn:example:unknown"],"userName":"a"}`)
		if idp == "interop" {
			r.wantError(400, scim.InvalidSyntax)
		} else {
			r.want(201)
		}
	}
}

func TestVersionAndMeta(t *testing.T) {
	s := newServer(t, nil)
	for _, idp := range []string{"generic", "entra", "rfc"} {
		a := s.tenant(idp, idp, tenant.Settings{})
		strict := idp == "rfc"
		for _, urn := range []string{scim.UserURN, scim.GroupURN} {
			if got := strings.Contains(s.as(a, "GET", "/Schemas/"+urn, "").raw, `"name":"meta"`); got == strict {
				t.Errorf("%s: %s declares meta: %v", idp, urn, got)
			}
		}
		body := `{"schemas":["` + scim.UserURN + `"],"userName":"a"}`
		path := "/Users/" + s.as(a, "POST", "/Users", body).want(201).text("id")
		for query, whole := range map[string]bool{
			"": true, "?attributes=meta": true, "?attributes=meta.version": true, "?excludedAttributes=userName": true,
			"?attributes=userName": false, "?attributes=meta.location": false, "?excludedAttributes=meta": false,
		} {
			if got := s.as(a, "GET", path+query, "").want(200).header.Get("ETag") != ""; got != (whole || strict) {
				t.Errorf("%s %s: has an ETag: %v", idp, query, got)
			}
			if s.as(a, "PUT", path+query, body).want(200).header.Get("ETag") == "" {
				t.Errorf("%s %s: a write has no ETag", idp, query)
			}
		}
	}
}

// "Unsupported methods on discovery endpoints -> 405 (SCIM Error, scim+json)".
func TestMethodNotAllowed(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for _, c := range []struct{ method, path, allow string }{
		{"PATCH", "/ServiceProviderConfig", "GET, HEAD"},
		{"POST", "/Schemas", "GET, HEAD"},
		{"DELETE", "/ResourceTypes/User", "GET, HEAD"},
		{"PUT", "/Users", "GET, POST, HEAD"},
		{"POST", "/Users/0", "DELETE, GET, PATCH, PUT, HEAD"},
		{"OPTIONS", "/Groups", "GET, POST, HEAD"},
	} {
		s.as(a, c.method, c.path, "").wantError(405, scim.NoType).wantHeader("Allow", c.allow)
	}
}

// "/Me -> 501 SCIM Error when not offered"; nothing that is not offered looks as if it were.
func TestNotOffered(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for _, c := range [][2]string{
		{"GET", "/Me"}, {"POST", "/Me"},
	} {
		s.as(a, c[0], c[1], "{}").wantError(501, scim.NoType)
	}
}

// "Unknown endpoint -> 404 SCIM Error; GET /{uuid} at root -> 404 SCIM Error".
func TestUnknownPaths(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for _, path := range []string{
		"/Nothing", "/3f1c0e5a-9c3e-4b0e-8f43-0e4d5b1f8a11", "/Users/a/b", "/Users//a", "//Users", "/Users/a%2Fb",
		"/Schemas/a/b",
		"/Users/a/b/c/d/e/f",
	} {
		s.as(a, "GET", path, "").wantError(404, scim.NoType)
	}
	for _, path := range []string{
		"/", "/scim", "/scim/", "/scim/v2", "/scim/v2/", "/Users", "/v2/acme/Users",
		"//scim/v2/acme/Users", "/SCIM/v2/acme/Users",
	} {
		s.send("GET", path, "", "Authorization", "Bearer "+a.token).wantError(404, scim.NoType)
	}
}

func TestPathSpellings(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for _, path := range []string{
		"/scim/v2/acme/Schemas", "/scim/acme/Schemas", "/scim/v2/acme/Schemas/", "/scim/v2/acme/schemas",
		"/scim/v2/acme/SCHEMAS", "/scim/v2/acme/Schemas?",
	} {
		r := s.send("GET", path, "", "Authorization", "Bearer "+a.token).want(200)
		if got := r.text("Resources", 0, "meta",
			"location"); got != "http://"+host+"/scim/v2/acme/Schemas/"+scim.UserURN {
			t.Errorf("%s: location %q", path, got)
		}
	}
}

func TestBaseURL(t *testing.T) {
	path := "/scim/v2/acme/ServiceProviderConfig"
	s := newServer(t, nil)
	if r := s.send("GET", path, "", "X-Forwarded-Proto", "https"); r.text("meta", "location") != "https://"+host+path {
		t.Errorf("behind TLS: %v", r.at("meta"))
	}
	s = newServer(t, func(c *scimhttp.Config) { c.BaseURL = "https://id.example.org/" })
	if r := s.send("GET", path+"?aadOptscim062020", ""); r.text("meta", "location") != "https://id.example.org"+path {
		t.Errorf("with a base URL: %v", r.at("meta"))
	}
}
