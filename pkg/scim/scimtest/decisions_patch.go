package scimtest

import (
	"fmt"
	"net/http"
)

var patchDecisionBehaviours = []behaviour{
	{"PATCH of a user answers 200 and the whole body", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra", "okta"} {
			c := tenant(idp)
			path := "/Users/" + c.create(`"userName":"ann"`)
			a := c.patch(path, `{"op":"add","path":"title","value":"t"}`).want(http.StatusOK).has("title", "t").
				has("userName", "ann")
			got := c.get(path).want(http.StatusOK)
			if string(got.Body) != string(a.Body) {
				a.fail("GET differs: %s", clip(got.Body))
			}
		}
	}},
	{"the setting patchBody none", func(tenant func(string) *client) {
		c := tenant("generic")
		c.configure(`{"scim":{"patchBody":"none"}}`)
		path := "/Users/" + c.create(`"userName":"ann"`)
		c.patch(path, `{"op":"add","path":"title","value":"t"}`).want(http.StatusNoContent)
		c.patch(path, `{"op":"add","path":"title","value":"u"}`, params("attributes", "title")).want(http.StatusOK).
			has("title", "u")
	}},
	{"PATCH of a group answers 204 in an IdP profile, the body in generic and rfc", func(tenant func(string) *client) {
		for _, idp := range []string{"entra", "okta", "onelogin", "authentik"} {
			c := tenant(idp)
			path := "/Groups/" + c.createGroup(`"displayName":"g"`)
			a := c.patch(path, `{"op":"add","path":"members","value":[{"value":"x"}]}`).want(http.StatusNoContent)
			if len(a.Body) > 0 || a.Header.Get("ETag") == "" {
				a.fail("a 204 has no body and an ETag")
			}
			c.patch(path, `{"op":"add","path":"members","value":[{"value":"y"}]}`, params("attributes", "displayName")).
				want(http.StatusOK).
				has("displayName", "g").lacks("members")
			c.patch(path, `{"op":"add","path":"members","value":[{"value":"z"}]}`, params("excludedAttributes", "displayName")).
				want(http.StatusOK).
				hasValues("members", "x", "y", "z")
		}
		for _, idp := range []string{"generic", "rfc"} {
			c := tenant(idp)
			path := "/Groups/" + c.createGroup(`"displayName":"g"`)
			c.patch(path, `{"op":"add","path":"members","value":[{"value":"x"}]}`).want(http.StatusOK).has("displayName", "g").
				hasValues("members", "x")
		}
	}},
	{
		"PATCH of a group answers 204 beyond 100 members in generic and rfc, beyond 1,000 in keycloak",
		func(tenant func(string) *client) {
			for idp, most := range map[string]int{"generic": 100, "rfc": 100, "keycloak": 1000} {
				c := tenant(idp)
				all := make([]string, most)
				for i := range all {
					all[i] = fmt.Sprintf("person-%04d", i)
				}
				path := "/Groups/" + c.createGroup(`"displayName":"g","members":`+members(all[1:]...))
				c.patch(path, `{"op":"add","path":"members","value":`+members(all[0])+`}`).want(http.StatusOK).
					has("members", map[string]any{"$len": float64(most)})
				const more = `{"op":"add","path":"members","value":[{"value":"one-more"}]}`
				c.patch(path, more).want(http.StatusNoContent)
				c.patch(path, `{"op":"replace","path":"displayName","value":"h"}`).want(http.StatusNoContent)
				whole := map[string]any{"$len": float64(most + 1)}
				c.get(path).want(http.StatusOK).has("members", whole)
				c.patch(path, more, header("Prefer", "return=representation")).want(http.StatusOK).has("members", whole)
				c.patch(path, more, params("attributes", "members")).want(http.StatusOK).has("members", whole)
				c.patch(path, `{"op":"remove","path":"members[value eq \"one-more\"]"}`).want(http.StatusOK).
					has("members", map[string]any{"$len": float64(most)})
			}
		},
	},
	{"replace whose value filter matches nothing", func(tenant func(string) *client) {
		const op = `{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@example.com"}`
		for _, idp := range []string{"generic", "rfc"} {
			c := tenant(idp)
			path := "/Users/" + c.create(`"userName":"ann"`)
			c.unchanged(path, func() { c.patch(path, op).refused(http.StatusBadRequest, "noTarget") })
		}
		for _, idp := range []string{"entra", "okta", "jumpcloud"} {
			c := tenant(idp)
			path := "/Users/" + c.create(`"userName":"ann"`)
			c.patch(path, op).want(http.StatusOK).has("emails", map[string]any{"$len": 1}).
				has("emails[0].type", "work").
				has("emails[0].value", "a@example.com")
			c.patch(path, `{"op":"replace","path":"addresses[type eq \"work\"].locality","value":"L"},{"op":"replace",`+
				`"path":"addresses[type eq \"work\"].country","value":"DE"}`).
				want(http.StatusOK).has("addresses", map[string]any{"$len": 1}).has("addresses[0].locality", "L").
				has("addresses[0].country", "DE")
		}
	}},
	{"remove members with a value list", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra", "okta", "authentik", "jumpcloud"} {
			c := tenant(idp)
			path := "/Groups/" + c.createGroup(`"displayName":"g","members":`+members("a", "b", "c"))
			c.patch(path, `{"op":"remove","path":"members","value":[{"value":"a"},{"value":"stranger"}]}`).changed()
			c.get(path).want(http.StatusOK).hasValues("members", "b", "c")
			c.unchanged(path, func() { c.patch(path, `{"op":"remove","path":"members","value":[]}`).changed() })
			c.patch(path, `{"op":"remove","path":"members","value":{"value":"b"}}`).changed()
			c.get(path).want(http.StatusOK).hasValues("members", "c")
			c.patch(path, `{"op":"remove","path":"members","value":null}`).changed()
			c.get(path).want(http.StatusOK).holds("members", "[]")
		}
	}},
	{"an unknown attribute", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra", "okta"} {
			c := tenant(idp)
			path := "/Users/" + c.create(`"userName":"ann"`)
			c.patch(path, `{"op":"add","value":{"favouriteColour":"red","title":"t","urn:example:unknown:1.0:User:x":"y"}}`).
				want(http.StatusOK).
				has("title", "t").lacks("favouriteColour")
			a := c.patch(path, `{"op":"add","path":"favouriteColour","value":"red"},{"op":"replace","path":"title","value":"u"}`)
			if idp == "generic" || idp == "rfc" {
				a.refused(http.StatusBadRequest, "invalidPath")
				c.get(path).want(http.StatusOK).has("title", "t")
			} else {
				a.want(http.StatusOK).has("title", "u").lacks("favouriteColour")
			}
		}
	}},
	{"a read-only attribute", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc"} {
			c := tenant(idp)
			id := c.create(`"userName":"ann"`)
			path := "/Users/" + id
			c.patch(path, `{"op":"replace","path":"id","value":"x"}`).refused(http.StatusBadRequest, "mutability")
			c.patch(path, `{"op":"add","path":"groups","value":[{"value":"x"}]}`).refused(http.StatusBadRequest, "mutability")
			c.patch(path, `{"op":"replace","value":{"id":"x","groups":[],"meta":{"version":"1"},"title":"t"}}`).
				want(http.StatusOK).has("id", id).has("title", "t")
			c.put(path, user(`"id":"x","userName":"ann","groups":[{"value":"x"}],"meta":{"created":"2001-01-01T00:00:00Z"}`)).
				want(http.StatusOK).has("id", id)
		}
	}},
	{"null, empty text and [] unassign", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "entra", "okta"} {
			c := tenant(idp)
			for _, value := range []string{"null", `""`} {
				path := "/Users/" + c.create(`"userName":`+quote(value)+`,"title":"t","name":{"givenName":"A","familyName":"L"}`)
				c.patch(path, `{"op":"replace","path":"title","value":`+value+`}`).want(http.StatusOK).lacks("title")
				c.patch(path, `{"op":"replace","value":{"name":{"givenName":`+value+`}}}`).want(http.StatusOK).
					lacks("name.givenName").has("name.familyName", "L")
			}
			path := "/Users/" + c.create(`"userName":"ann","emails":[{"value":"a@example.com"}],"roles":[{"value":"r"}]`)
			c.patch(path, `{"op":"replace","path":"emails","value":[]}`).want(http.StatusOK).lacks("emails")
			c.patch(path, `{"op":"replace","value":{"roles":null}}`).want(http.StatusOK).lacks("roles")
		}
	}},
	{"empty Operations", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "okta"} {
			c := tenant(idp)
			c.patch("/Users/"+c.create(`"userName":"ann"`), "").refused(http.StatusBadRequest, "")
		}
		c := tenant("entra")
		path := "/Users/" + c.create(`"userName":"ann"`)
		c.unchanged(path, func() { c.patch(path, "").want(http.StatusOK).has("userName", "ann") })
	}},
	{"removing somebody who is no member", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra", "okta"} {
			c := tenant(idp)
			path := "/Groups/" + c.createGroup(`"displayName":"g","members":`+members("a"))
			c.unchanged(path, func() {
				c.patch(path, `{"op":"remove","path":"members[value eq \"stranger\"]"}`).changed()
				c.patch(path, `{"op":"remove","path":"members","value":[{"value":"stranger"}]}`).changed()
			})
		}
	}},
	{"password is taken and discarded", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "okta", "entra"} {
			c := tenant(idp)
			path := "/Users/" + c.create(`"userName":"ann","password":"one"`)
			c.unchanged(path, func() {
				c.patch(path, `{"op":"replace","path":"password","value":"two"}`).want(http.StatusOK)
				c.patch(path, `{"op":"replace","value":{"password":"three"}}`).want(http.StatusOK)
			})
			c.get("/ServiceProviderConfig").want(http.StatusOK).has("changePassword.supported", false)
		}
	}},
}
