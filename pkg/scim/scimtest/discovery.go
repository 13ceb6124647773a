package scimtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	spcURN          = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	resourceTypeURN = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaURN       = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

var exists = map[string]any{"$exists": true}

func typed(name string) any { return map[string]any{"$type": name} }

var discoveryBehaviours = []behaviour{
	{"14 ServiceProviderConfig is complete", func(tenant func(string) *client) {
		a := tenant("generic").get("/ServiceProviderConfig").want(http.StatusOK)
		a.has("schemas", []string{spcURN})
		for _, feature := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag"} {
			a.has(feature+".supported", typed("bool"))
		}
		a.has("patch.supported", true).has("filter.supported", true).has("etag.supported", true).
			has("changePassword.supported", false)
		a.has("bulk.maxOperations", typed("int")).has("bulk.maxPayloadSize", typed("int")).
			has("filter.maxResults", typed("int"))
		a.has("authenticationSchemes", map[string]any{"$min_len": 1})
		for _, scheme := range a.list("authenticationSchemes") {
			for _, key := range []string{"type", "name", "description"} {
				if p := match(scheme, key, map[string]any{"$min_len": float64(1)}); p != "" {
					a.fail("authentication scheme: %s", p)
				}
			}
		}
		for _, empty := range []string{`"documentationUri":""`, `"specUri":""`, `"documentationUri": ""`, `"specUri": ""`} {
			if strings.Contains(string(a.Body), empty) {
				a.fail("%s", empty)
			}
		}
		a.has("meta.resourceType", "ServiceProviderConfig")
	}},
	{"15 ServiceProviderConfig needs no token and ignores the query", func(tenant func(string) *client) {
		c := tenant("generic")
		c.get("/ServiceProviderConfig", without("Authorization")).want(http.StatusOK).has("schemas", []string{spcURN})
		c.get("/ServiceProviderConfig", query("filter=x&sortBy=y&startIndex=-1&count=z")).want(http.StatusOK)
		c.get("/ServiceProviderConfig", query("filter=x"), without("Authorization")).want(http.StatusOK)
		c.get("/ServiceProviderConfig", query("?")).want(http.StatusOK)
		c.get("/ServiceProviderConfig", header("Authorization", "Bearer "+c.target.badToken())).
			refused(http.StatusUnauthorized, "")
	}},
	{"16 ResourceTypes", func(tenant func(string) *client) {
		c := tenant("generic")
		a := c.get("/ResourceTypes").want(http.StatusOK).has("schemas", []string{listURN})
		if got := a.column("id"); !slices.Equal(got, []string{"User", "Group"}) {
			a.fail("resource types are %q", got)
		}
		a.has("Resources[0].name", "User").has("Resources[0].endpoint", "/Users").has("Resources[0].schema", userURN)
		a.has("Resources[1].name", "Group").has("Resources[1].endpoint", "/Groups").has("Resources[1].schema", groupURN)
		a.has("Resources[0].schemaExtensions[0].schema", enterpriseURN).
			has("Resources[0].schemaExtensions[0].required", false)
		a.has("Resources[0].schemas", []string{resourceTypeURN})
		known := c.get("/Schemas").want(http.StatusOK).column("id")
		for _, urn := range []string{a.str("Resources[0].schema"), a.str("Resources[1].schema"), enterpriseURN} {
			if !slices.Contains(known, urn) {
				a.fail("%s is not in /Schemas", urn)
			}
		}
		c.get("/ResourceTypes/User").want(http.StatusOK).has("id", "User").has("endpoint", "/Users").
			has("meta.resourceType", "ResourceType")
		c.get("/ResourceTypes/Group").want(http.StatusOK).has("id", "Group")
		c.get("/ResourceTypes/Nonsense").refused(http.StatusNotFound, "")
	}},
	{"17 Schemas", func(tenant func(string) *client) {
		c := tenant("generic")
		a := c.get("/Schemas").want(http.StatusOK).has("schemas", []string{listURN}).has("startIndex", 1).
			has("totalResults", typed("int")).has("itemsPerPage", typed("int"))
		known := a.column("id")
		for _, urn := range []string{userURN, groupURN, enterpriseURN, spcURN, resourceTypeURN, schemaURN} {
			if !slices.Contains(known, urn) {
				a.fail("%s is not listed", urn)
			}
			c.get("/Schemas/"+url.PathEscape(urn)).want(http.StatusOK).has("id", urn).has("name", exists).
				has("attributes", map[string]any{"$min_len": 1}).has("meta.resourceType", "Schema").
				has("schemas", []string{schemaURN})
		}
		c.get("/Schemas/"+strings.ReplaceAll(userURN, ":", "%3A")).want(http.StatusOK).has("id", userURN)
		c.get("/Schemas/urn:example:unknown").refused(http.StatusNotFound, "")
		c.get("/Schemas/"+listURN).refused(http.StatusNotFound, "")
	}},
	{"18 the User and Group schemas", func(tenant func(string) *client) {
		c := tenant("generic")
		a := c.get("/Schemas/"+userURN).want(http.StatusOK).has("description", "User Account").has("name", "User")
		for path, want := range map[string]any{
			"[?name=userName].required": true, "[?name=userName].caseExact": false,
			"[?name=userName].uniqueness": "server", "[?name=userName].type": "string",
			"[?name=emails].multiValued": true, "[?name=phoneNumbers].multiValued": true,
			"[?name=addresses].multiValued": true, "[?name=groups].mutability": "readOnly",
			"[?name=password].mutability": "writeOnly",
			"[?name=password].returned":   "never", "[?name=active].type": "boolean", "[?name=name].type": "complex",
			"[?name=emails].subAttributes[?name=primary].type":         "boolean",
			"[?name=emails].subAttributes[?name=value].type":           "string",
			"[?name=x509Certificates].subAttributes[?name=value].type": "binary",
		} {
			a.has("attributes"+path, want)
		}
		for _, urn := range []string{userURN, groupURN, enterpriseURN} {
			checkCharacteristics(c.get("/Schemas/" + urn).want(http.StatusOK))
		}
		c.get("/Schemas/"+groupURN).want(http.StatusOK).has("attributes[?name=displayName].required", true).
			has("attributes[?name=members].multiValued", true).
			has("attributes[?name=members].subAttributes[?name=value].mutability", "immutable")
		c.get("/Schemas/"+enterpriseURN).want(http.StatusOK).has("attributes[?name=manager].type", "complex").
			has("attributes[?name=employeeNumber].type", "string")
	}},
	{"19 a filter on discovery is a 403", func(tenant func(string) *client) {
		c := tenant("generic")
		c.get("/Schemas", params("filter", `id eq "x"`)).refused(http.StatusForbidden, "")
		c.get("/ResourceTypes", params("filter", `name eq "User"`)).refused(http.StatusForbidden, "")
	}},
	{"20 totals of discovery lists", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, path := range []string{"/Schemas", "/ResourceTypes"} {
			a := c.get(path).want(http.StatusOK)
			a.has("totalResults", len(a.list("Resources")))
		}
	}},
}

// checkCharacteristics checks that each declared attribute has only values that RFC 7643 section 7 knows.
func checkCharacteristics(a *answer) {
	a.t.Helper()
	allowed := map[string][]string{
		"type":       {"string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"},
		"mutability": {"readOnly", "readWrite", "immutable", "writeOnly"},
		"returned":   {"always", "never", "default", "request"},
		"uniqueness": {"none", "server", "global"},
	}
	var walk func(v any)
	walk = func(v any) {
		object, _ := v.(map[string]any)
		for _, key := range []string{"attributes", "subAttributes"} {
			list, _ := object[key].([]any)
			for _, element := range list {
				attribute, _ := element.(map[string]any)
				for characteristic, values := range allowed {
					got, there := attribute[characteristic].(string)
					if !there && attribute["type"] == "complex" && characteristic == "uniqueness" {
						continue
					}
					if !slices.Contains(values, got) {
						a.fail("%s of %v is %q", characteristic, attribute["name"], got)
					}
				}
				if (attribute["type"] == "complex") != (attribute["subAttributes"] != nil) {
					a.fail("%v: complex and subAttributes go together", attribute["name"])
				}
				walk(element)
			}
		}
	}
	walk(a.body)
}
