package scimtest

import (
	"fmt"
	"net/http"
	"strings"
)

// managerID is the path into an answer to the id of a user's manager.
const managerID = "['" + enterpriseURN + "'].manager.value"

// lenient are profiles that read clients' forms that the RFC does not have, strict those that do not.
var lenient, strict = []string{"generic", "entra", "okta", "authentik"}, []string{"rfc", "interop"}

var valueBehaviours = []behaviour{
	{"JSON in a string as the value of an operation with a path", func(tenant func(string) *client) {
		for _, idp := range []string{"keycloak", "generic"} {
			c := tenant(idp)
			ids := c.many(3)
			gid := c.createGroup(`"displayName":"g","members":` + members(ids[0]))
			path := "/Groups/" + gid
			c.patch(path, `{"op":"replace","path":"members","value":`+quote(members(ids[0], ids[1]))+`}`).changed()
			c.agree(gid, ids[0], ids[1])
			c.patch(path, `{"op":"add","path":"members","value":[`+quote(`{"value":`+quote(ids[2])+`}`)+`]}`).changed()
			c.agree(gid, ids...)
			c.patch(path, `{"op":"remove","path":"members","value":`+quote(members(ids[0], ids[2]))+`}`).changed()
			c.agree(gid, ids[1])
			c.unchanged(path, func() {
				for _, op := range []string{"add", "replace", "remove"} {
					c.patch(path, `{"op":"`+op+`","path":"members","value":"[{\"value\":"}`).
						refused(http.StatusBadRequest, "invalidValue")
				}
			})
			uid := "/Users/" + ids[0]
			c.patch(uid, `{"op":"add","path":"emails","value":"[{\"value\":\"a@example.com\",\"type\":\"work\"}]"}`).
				want(http.StatusOK).
				has("emails", map[string]any{"$len": 1}).has("emails[0].value", "a@example.com")
			c.patch(uid, `{"op":"add","path":"`+enterpriseURN+`:manager","value":`+quote(`{"value":`+quote(ids[1])+`}`)+`}`).
				want(http.StatusOK).has(managerID, ids[1])
			c.patch(uid, `{"op":"add","path":"roles","value":[{"value":"{\"a\":1}"}]}`).want(http.StatusOK).
				has("roles[0].value", `{"a":1}`)
			c.put(uid, user(`"userName":"x-`+idp+`","emails":"[{\"value\":\"b@example.com\"}]"`)).want(http.StatusOK).
				has("emails[0].value", "b@example.com")
			c.put(uid, user(`"userName":"x-`+idp+`","emails":"[{\"value\""`)).refused(http.StatusBadRequest, "invalidValue")
		}
	}},
	{"labels before the value", func(tenant func(string) *client) {
		for _, idp := range []string{"entra", "generic"} {
			c := tenant(idp)
			path := "/Users/" + c.create(`"userName":"ann","emails":[{"value":"a@example.com","type":"home","primary":true}]`)
			c.patch(path, `{"op":"add","path":"emails[type eq \"work\"].primary","value":"True"},`+
				`{"op":"add","path":"emails[type eq \"work\"].value","value":"w@example.com"}`).want(http.StatusOK).
				has("emails[?type=work].primary", true).has("emails[?type=home].primary", false)
			c.patch(path, `{"op":"add","value":{"phoneNumbers[type eq \"mobile\"].primary":true,"phoneNumbers[type eq `+
				`\"mobile\"].value":"1"}}`).
				want(http.StatusOK).has("phoneNumbers[0].primary", true).has("phoneNumbers[0].value", "1")
			c.patch(path, `{"op":"remove","path":"emails[type eq \"work\"].value"}`).want(http.StatusOK).
				has("emails", map[string]any{"$len": 1})
			c.unchanged(path, func() {
				c.patch(path, `{"op":"add","path":"emails[type eq \"other\"].primary","value":true}`).want(http.StatusOK)
			})
		}
	}},
	{"empty values", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra"} {
			c := tenant(idp)
			boss := c.create(`"userName":"boss"`)
			const rest = `"userName":"ann","name":{"givenName":"A","familyName":"L"},"emails":[{"value":"a@example.com"}]`
			body := strings.Replace(user(rest+`,"`+enterpriseURN+`":{"manager":{"value":`+quote(boss)+`}}`),
				userURN+`"`, userURN+`","`+enterpriseURN+`"`, 1)
			path := "/Users/" + c.post("/Users", body).want(http.StatusCreated).id()
			gid := "/Groups/" + c.createGroup(`"displayName":"g","members":`+members(boss))
			paths := []string{"name", "emails", "displayName", enterpriseURN + ":manager"}
			c.unchanged(path, func() {
				for _, op := range []string{"add", "replace"} {
					for _, at := range []string{"name", "emails", enterpriseURN + ":manager", enterpriseURN} {
						c.patch(path, `{"op":"`+op+`","path":"`+at+`","value":{}}`).want(http.StatusOK)
						c.patch(path, `{"op":"`+op+`","value":{"`+at+`":{}}}`).want(http.StatusOK)
					}
				}
				for _, at := range paths {
					c.patch(path, `{"op":"remove","path":"`+at+`","value":[]}`).want(http.StatusOK)
					c.patch(path, `{"op":"remove","path":"`+at+`","value":""}`).refused(http.StatusBadRequest, "invalidValue")
					c.patch(path, `{"op":"remove","path":"`+at+`","value":{}}`).refused(http.StatusBadRequest, "invalidValue")
				}
			})
			c.unchanged(gid, func() {
				c.patch(gid, `{"op":"replace","path":"members","value":{}}`).changed()
				c.patch(gid, `{"op":"remove","path":"members","value":[]}`).changed()
				c.patch(gid, `{"op":"remove","path":"members","value":""}`).refused(http.StatusBadRequest, "invalidValue")
				c.patch(gid, `{"op":"remove","path":"members","value":{}}`).refused(http.StatusBadRequest, "invalidValue")
			})
			for _, value := range []string{"null", `""`, "[]"} {
				c.patch(path, `{"op":"replace","path":"emails","value":`+value+`}`).want(http.StatusOK).lacks("emails")
				c.patch(path, `{"op":"add","path":"emails","value":[{"value":"a@example.com"}]}`).want(http.StatusOK).
					has("emails[0].value", exists)
			}
			c.put(path, user(`"userName":"ann","name":{},"emails":{},"title":null`)).want(http.StatusOK).
				lacks("name", "emails", "title")
		}
	}},
	{"active is always there", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra", "onelogin"} {
			c := tenant(idp)
			for i, value := range []string{"null", `""`} {
				body := fmt.Sprintf(`"userName":"ann-%d","active":`, i)
				path := "/Users/" + c.post("/Users", user(body+value)).want(http.StatusCreated).has("active", true).id()
				c.patch(path, `{"op":"replace","path":"active","value":false}`).want(http.StatusOK)
				c.put(path, user(body+value)).want(http.StatusOK).has("active", false)
				c.patch(path, `{"op":"replace","value":{"active":`+value+`,"title":"t"}}`).want(http.StatusOK).has("active", false).
					has("title", "t")
				c.unchanged(path, func() {
					c.patch(path, `{"op":"replace","path":"active","value":`+value+`}`).refused(http.StatusBadRequest, "invalidValue")
				})
			}
		}
	}},
	{"remove with a value removes what it names", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra"} {
			c := tenant(idp)
			boss, other := c.create(`"userName":"boss"`), c.create(`"userName":"other"`)
			path := "/Users/" + c.create(`"userName":"ann","emails":[{"value":"a@example.com","type":"work","primary":true}]`)
			at := `"path":"` + enterpriseURN + `:manager"`
			c.patch(path, `{"op":"add",`+at+`,"value":{"value":`+quote(boss)+`}}`).want(http.StatusOK).has(managerID, boss)
			c.unchanged(path, func() {
				c.patch(path, `{"op":"remove",`+at+`,"value":{"value":`+quote(other)+`}}`).want(http.StatusOK)
				c.patch(path, `{"op":"remove","path":"emails","value":[{"value":"a@example.com","type":"home"}]}`).
					want(http.StatusOK)
			})
			c.patch(path, `{"op":"remove","path":"emails","value":[{"value":"a@example.com","display":"A","primary":false}]}`).
				want(http.StatusOK).lacks("emails")
			c.patch(path, `{"op":"remove",`+at+`,"value":{"value":`+quote(boss)+`}}`).want(http.StatusOK).lacks(managerID)
		}
	}},
	{"a reference without a value", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "entra"} {
			c := tenant(idp)
			boss, other := c.create(`"userName":"boss"`), c.create(`"userName":"other"`)
			path := "/Users/" + c.post("/Users",
				user(`"userName":"ann","`+enterpriseURN+`":{"manager":{"$ref":"../Users/`+other+`"}}`)).
				want(http.StatusCreated).has(managerID, other).id()
			c.patch(path, `{"op":"replace","path":"`+enterpriseURN+`:manager","value":{"$ref":"`+c.target.BaseURL+`/Users/`+boss+
				`"}}`).
				want(http.StatusOK).has(managerID, boss)
			gid := c.createGroup(`"displayName":"g","members":[{"$ref":"../Users/` + boss + `"}]`)
			c.agree(gid, boss)
		}
	}},
	{"a reference that names no resource, without a value", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "entra"} {
			c := tenant(idp)
			boss := c.create(`"userName":"boss"`)
			manager := func(value string) string { return `"` + enterpriseURN + `":{"manager":` + value + `}` }
			path := "/Users/" + c.post("/Users", user(`"userName":"ann",`+manager(quote(boss)))).
				want(http.StatusCreated).id()
			for _, ref := range []string{`"boss"`, `"/"`, `"https://example.com/"`, `"../?x=/Users/1"`, `7`} {
				value := `{"$ref":` + ref + `}`
				for _, op := range []string{
					`{"op":"replace","path":"` + enterpriseURN + `:manager","value":` + value + `}`,
					`{"op":"add","path":"` + enterpriseURN + `:manager","value":` + value + `}`,
					`{"op":"replace","value":{` + manager(value) + `}}`,
				} {
					c.patch(path, op).refused(http.StatusBadRequest, "invalidValue")
				}
				c.put(path, user(`"userName":"ann",`+manager(value))).refused(http.StatusBadRequest, "invalidValue")
				c.post("/Users", user(`"userName":"ben",`+manager(value))).refused(http.StatusBadRequest, "invalidValue")
			}
			c.get(path).want(http.StatusOK).has(managerID, boss)
		}
	}},
	{"an externalId of two users names neither", func(tenant func(string) *client) {
		c := tenant("entra")
		c.create(`"userName":"a","externalId":"twin"`)
		b := c.create(`"userName":"b","externalId":"twin"`)
		gid := c.createGroup(`"displayName":"g","members":` + members("twin", b))
		c.get("/Groups/"+gid).want(http.StatusOK).hasValues("members", "twin", b).lacks("members[?value=twin].type")
	}},
	{"an unknown path in the members is not skipped", func(tenant func(string) *client) {
		for _, idp := range lenient {
			c := tenant(idp)
			path := "/Groups/" + c.createGroup(`"displayName":"g","members":`+members("a"))
			c.unchanged(path, func() {
				for _, at := range []string{`members[id eq \"a\"]`, `members[value eq \"a\"].id`, `members.id`} {
					a := c.patch(path, `{"op":"remove","path":"`+at+`"}`)
					if a.is(http.StatusBadRequest) && a.str("scimType") != "invalidPath" &&
						a.str("scimType") != "invalidFilter" {
						a.fail("scimType %q", a.str("scimType"))
					}
				}
			})
		}
	}},
	{"the enterprise URN of SCIM 1.1", func(tenant func(string) *client) {
		const former = "urn:scim:schemas:extension:enterprise:1.0"
		for _, idp := range lenient {
			c := tenant(idp)
			path := "/Users/" + c.post("/Users", user(`"userName":"ann","`+former+`":{"department":"d"}`)).
				want(http.StatusCreated).
				has("['"+enterpriseURN+"'].department", "d").id()
			c.patch(path, `{"op":"replace","path":"`+former+`:department","value":"e"}`).want(http.StatusOK).
				has("['"+enterpriseURN+"'].department", "e")
			c.filter("/Users", former+`:department eq "e"`).lists("userName", "ann")
			c.put(path, user(`"userName":"ann","`+former+`:department":"f"`)).want(http.StatusOK).
				has("['"+enterpriseURN+"'].department", "f")
		}
	}},
	{"lenient spellings", func(tenant func(string) *client) {
		for _, idp := range lenient {
			c := tenant(idp)
			path := "/Users/" + c.post("/Users", user(`"userName":"CORP\\bob","title":42,"active":"0","name.givenName":"A",`+
				`"name":{"familyName":{"value":"L"}},"emails.value":"a@example.com","emails.type":"work"`)).
				want(http.StatusCreated).
				has("title", "42").has("active", false).has("name.givenName", "A").has("name.familyName", "L").
				has("emails[0].value", "a@example.com").has("emails[0].type", "work").id()
			c.patch(path, `{"op":"replace","path":"/name/givenName","value":{"value":7}}`).want(http.StatusOK).
				has("name.givenName", "7")
			c.filter("/Users", `userName eq "CORP\bob"`).lists("userName", `CORP\bob`)
			c.put(path, user(`"userName":"ann","name.givenName":"B","active":1`)).want(http.StatusOK).has("name.givenName", "B").
				has("active", true)
			c.post("/Users", user(`"userName":"eve","name":{"givenName":"E"},"name.givenName":"F"`)).
				refused(http.StatusBadRequest, "invalidSyntax")
		}
		for _, idp := range strict {
			c := tenant(idp)
			path := "/Users/" + c.create(`"userName":"ann"`)
			c.unchanged(path, func() {
				for _, body := range []string{`"title":42`, `"active":"1"`, `"title":{"value":"x"}`} {
					c.post("/Users", user(`"userName":"eve",`+body)).refused(http.StatusBadRequest, "invalidValue")
					c.put(path, user(`"userName":"ann",`+body)).refused(http.StatusBadRequest, "invalidValue")
				}
				c.patch(path, `{"op":"replace","path":"/title","value":"x"}`).refused(http.StatusBadRequest, "invalidPath")
			})
			c.get("/Users", params("filter", `userName eq "CORP\user"`)).refused(http.StatusBadRequest, "invalidFilter")
		}
		c := tenant("rfc")
		c.post("/Users", user(`"userName":"ann","emails":"bare"`)).refused(http.StatusBadRequest, "invalidValue")
		c.post("/Users", user(`"userName":"ann","emails":["bare"]`)).refused(http.StatusBadRequest, "invalidValue")
		c.post("/Users", user(`"userName":"ann","name.givenName":"A"`)).refused(http.StatusBadRequest, "invalidSyntax")
	}},
	{"a filter value without quotes", func(tenant func(string) *client) {
		for _, idp := range []string{"authentik", "entra"} {
			c := tenant(idp)
			c.create(`"userName":"ann@example.com"`)
			gid := c.createGroup(`"displayName":"Sales and Marketing","members":` + members("a", "b"))
			c.filter("/Users", `userName eq ann@example.com`).lists("userName", "ann@example.com")
			c.filter("/Groups", `displayName eq Sales and Marketing`).lists("id", gid)
			c.patch("/Groups/"+gid, `{"op":"remove","path":"members[value eq a]"}`).changed()
			c.get("/Groups/"+gid).want(http.StatusOK).hasValues("members", "b")
		}
	}},
	{"adding what is there", func(tenant func(string) *client) {
		c := tenant("generic")
		const two = `[{"value":"1","type":"work","display":"a"},{"value":"1","type":"work","display":"b"}]`
		path := "/Users/" + c.create(`"userName":"ann","phoneNumbers":`+two)
		c.unchanged(path, func() {
			c.patch(path, `{"op":"add","path":"phoneNumbers","value":`+two+`}`).want(http.StatusOK)
			c.patch(path, `{"op":"add","value":{"phoneNumbers":[{"value":"1","type":"work","display":"b"}]}}`).
				want(http.StatusOK)
		})
	}},
}
