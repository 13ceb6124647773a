package scimtest

import (
	"fmt"
	"net/http"
	"strings"
)

var manager = "['" + enterpriseURN + "'].manager"

var patchBehaviours = []behaviour{
	{"64 the message", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		for i, op := range []string{"replace", "Replace", "REPLACE", "add", "Add", "aDd"} {
			c.patch(path, fmt.Sprintf(`{"op":%q,"path":"title","value":"%d"}`, op, i)).want(http.StatusOK).
				has("title", fmt.Sprint(i))
		}
		c.patch(path, `{"op":"Remove","path":"title"}`).want(http.StatusOK).lacks("title")
		c.unchanged(path, func() {
			const op = `[{"op":"add","path":"title","value":"x"}]`
			for _, body := range []string{
				`{"Operations":` + op + `}`, `{"schemas":[],"Operations":` + op + `}`,
				`{"schemas":["` + userURN + `"],"Operations":` + op + `}`,
				`{"schemas":["` + patchURN + `"]}`, `{"schemas":["` + patchURN + `"],"Operations":[]}`,
				`{"schemas":["` + patchURN + `"],"Operations":null}`,
				`{"schemas":["` + patchURN + `"],"Operations":{"op":"add"}}`, `{"schemas":["` + patchURN + `"],"Operations":["x"]}`,
				`{"schemas":"x","Operations":` + op + `}`,
			} {
				c.do(http.MethodPatch, path, body).refused(http.StatusBadRequest, "")
			}
			for _, op := range []string{
				`{"op":"move","path":"title","value":"x"}`, `{"op":"","path":"title","value":"x"}`, `{"path":"title","value":"x"}`,
				`{"op":1,"path":"title","value":"x"}`,
				`{"op":"add","path":"title"}`, `{"op":"replace","path":"title"}`, `{"op":"add"}`, `{"op":"replace"}`,
				`{"op":"add","path":1,"value":"x"}`,
				`{"op":"add","value":"x"}`, `{"op":"add","value":[1]}`, `{"op":"add","value":12}`,
			} {
				c.patch(path, op).refused(http.StatusBadRequest, "")
			}
			c.patch(path, `{"op":"remove"}`).refused(http.StatusBadRequest, "noTarget")
			c.patch(path, `{"op":"remove","path":""}`).refused(http.StatusBadRequest, "noTarget")
		})
	}},
	{"65 every simple attribute", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		paths := map[string]string{}
		for _, name := range []string{
			"displayName", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone",
			"externalId",
			"name.formatted", "name.familyName", "name.givenName", "name.middleName", "name.honorificPrefix",
			"name.honorificSuffix",
		} {
			paths[name], paths[userURN+":"+name] = name, name
		}
		for _, name := range []string{"employeeNumber", "costCenter", "organization", "division", "department"} {
			paths[enterpriseURN+":"+name] = "['" + enterpriseURN + "']." + name
		}
		for at, read := range paths {
			c.patch(path, `{"op":"add","path":"`+at+`","value":"one"}`).want(http.StatusOK).has(read, "one")
			c.patch(path, `{"op":"replace","path":"`+at+`","value":"two"}`).want(http.StatusOK).has(read, "two")
			c.get(path).want(http.StatusOK).has(read, "two")
			c.patch(path, `{"op":"remove","path":"`+at+`"}`).want(http.StatusOK).lacks(read)
			c.patch(path, `{"op":"replace","path":"`+at+`","value":"three"}`).want(http.StatusOK).has(read, "three")
		}
		c.get(path).want(http.StatusOK).has("schemas", []string{userURN, enterpriseURN}).
			has("name.middleName", "three").
			has("locale", "three")
		c.patch(path, `{"op":"replace","path":"userName","value":"anna"}`).want(http.StatusOK).has("userName", "anna")
		c.filter("/Users", `userName eq "anna"`).has("totalResults", 1)
		c.filter("/Users", `userName eq "ann"`).has("totalResults", 0)
	}},
	{"65 every multi-valued attribute", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		for _, name := range []string{
			"emails", "phoneNumbers", "ims", "photos", "entitlements", "roles",
			"x509Certificates",
		} {
			one, two, three := "b25l", "dHdv", "dGhyZWU="
			if name == "photos" {
				one, two, three = "https://example.com/1", "https://example.com/2", "https://example.com/3"
			}
			c.patch(path, `{"op":"add","path":"`+name+`","value":[{"value":"`+one+`","type":"a"}]}`).want(http.StatusOK).
				hasValues(name, one)
			c.patch(path, `{"op":"add","path":"`+name+`","value":{"value":"`+two+`","type":"b"}}`).want(http.StatusOK).
				hasValues(name, one, two)
			c.patch(path, `{"op":"replace","path":"`+name+`[type eq \"b\"].value","value":"`+three+`"}`).want(http.StatusOK).
				hasValues(name, one, three).
				has(name+"[?type=b].value", three)
			c.patch(path, `{"op":"add","path":"`+name+`[type eq \"b\"].display","value":"shown"}`).want(http.StatusOK).
				has(name+"[?type=b].display", "shown")
			c.patch(path, `{"op":"remove","path":"`+name+`[type eq \"b\"].display"}`).want(http.StatusOK).
				lacks(name + "[?type=b].display")
			c.patch(path, `{"op":"remove","path":"`+name+`[type eq \"a\"]"}`).want(http.StatusOK).hasValues(name, three)
			c.patch(path, `{"op":"replace","path":"`+name+`","value":[{"value":"`+one+`","type":"c"}]}`).want(http.StatusOK).
				hasValues(name, one)
			c.patch(path, `{"op":"remove","path":"`+name+`"}`).want(http.StatusOK).lacks(name)
		}
		c.patch(path, `{"op":"add","path":"addresses","value":[{"type":"work","locality":"L","postalCode":"1"}]}`).
			want(http.StatusOK).has("addresses[0].locality", "L")
		c.patch(path, `{"op":"replace","path":"addresses[type eq \"work\"].locality","value":"M"}`).want(http.StatusOK).
			has("addresses[0].locality", "M").has("addresses[0].postalCode", "1")
		c.patch(path, `{"op":"replace","path":"addresses[type eq \"work\"]","value":{"type":"work","country":"DE"}}`).
			want(http.StatusOK).
			has("addresses[0].country", "DE").has("addresses", map[string]any{"$len": 1})
	}},
	{"65 complex attributes and a whole extension", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		at := "['" + enterpriseURN + "']"
		c.patch(path, `{"op":"add","path":"name","value":{"givenName":"A"}}`).want(http.StatusOK).has("name.givenName", "A")
		c.patch(path, `{"op":"remove","path":"name"}`).want(http.StatusOK).lacks("name")
		c.patch(path, `{"op":"add","path":"`+enterpriseURN+`","value":{"department":"d","costCenter":"c"}}`).
			want(http.StatusOK).
			has(at+".department", "d").has(at+".costCenter", "c").has("schemas", []string{userURN, enterpriseURN})
		c.patch(path, `{"op":"add","path":"`+enterpriseURN+`","value":{"division":"v"}}`).want(http.StatusOK).
			has(at+".division", "v").has(at+".department", "d")
		c.patch(path, `{"op":"remove","path":"`+enterpriseURN+`"}`).want(http.StatusOK).lacks(at).
			has("schemas", []string{userURN})
	}},
	{"66 without a path", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "entra"} {
			c := tenant(idp)
			path := "/Users/" + c.create(`"userName":"ann","title":"t","name":{"familyName":"L"}`)
			at := "['" + enterpriseURN + "']"
			c.patch(path, `{"op":"replace","value":{"displayName":"D","name.givenName":"A","`+enterpriseURN+
				`:employeeNumber":"1"}}`).want(http.StatusOK).
				has("displayName", "D").has("title", "t").has("name.givenName", "A").has("name.familyName", "L").
				has(at+".employeeNumber", "1").
				lacks("['name.givenName']", "['"+enterpriseURN+":employeeNumber']")
			c.patch(path, `{"op":"add","value":{"`+enterpriseURN+`":{"department":"d"},"`+userURN+
				`:nickName":"N","emails":[{"value":"a@example.com","type":"work"}]}}`).
				want(http.StatusOK).has(at+".department", "d").has(at+".employeeNumber", "1").has("nickName", "N").
				hasValues("emails", "a@example.com")
			c.patch(path, `{"op":"replace","path":null,"value":{"title":"u"}}`).want(http.StatusOK).has("title", "u")
			c.patch(path, `{"op":"replace","path":"","value":{"title":"v"}}`).want(http.StatusOK).has("title", "v")
			c.patch(path, `{"op":"replace","value":{"emails[type eq \"work\"].value":"b@example.com"}}`).want(http.StatusOK).
				hasValues("emails", "b@example.com")
			c.get(path).want(http.StatusOK).has("userName", "ann").has("nickName", "N")
		}
	}},
	{"67 value paths", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann","emails":[{"value":"h@example.com","type":"home"}]`)
		c.patch(path, `{"op":"add","path":"emails[type eq \"work\"].value","value":"w@example.com"}`).want(http.StatusOK).
			hasValues("emails", "h@example.com", "w@example.com").has("emails[?type=work].value", "w@example.com")
		c.patch(path, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"x@example.com"}`).want(http.StatusOK).
			hasValues("emails", "h@example.com", "x@example.com")
		c.patch(path, `{"op":"add","path":"emails[type eq \"home\"].display","value":"D"}`).want(http.StatusOK).
			has("emails[?type=home].display", "D")
		c.unchanged(path, func() {
			c.patch(path, `{"op":"replace","path":"emails[type eq \"other\"].value","value":"y@example.com"}`).
				refused(http.StatusBadRequest, "noTarget")
			c.patch(path, `{"op":"remove","path":"emails[type eq \"other\"]"}`).
				is(http.StatusOK, http.StatusNoContent, http.StatusBadRequest)
		})
		c.patch(path, `{"op":"remove","path":"emails[type eq \"home\" and value eq \"h@example.com\"]"}`).want(http.StatusOK).
			hasValues("emails", "x@example.com")
		c.filter("/Users", `emails.value eq "h@example.com"`).has("totalResults", 0)
		c.filter("/Users", `emails.value eq "x@example.com"`).has("totalResults", 1)
	}},
	{"68 what replace and add keep", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann","name":{"givenName":"A","familyName":"L"},`+
			`"emails":[{"value":"a@example.com"},{"value":"b@example.com"}]`)
		c.patch(path, `{"op":"replace","path":"name","value":{"givenName":"B"}}`).want(http.StatusOK).
			has("name.givenName", "B").has("name.familyName", "L")
		c.patch(path, `{"op":"replace","value":{"name":{"middleName":"M"}}}`).want(http.StatusOK).has("name.middleName", "M").
			has("name.familyName", "L")
		c.patch(path, `{"op":"add","path":"emails","value":[{"value":"c@example.com"}]}`).want(http.StatusOK).
			hasValues("emails", "a@example.com", "b@example.com", "c@example.com")
		c.patch(path, `{"op":"replace","path":"emails","value":[{"value":"d@example.com"}]}`).want(http.StatusOK).
			hasValues("emails", "d@example.com")
	}},
	{"69 one primary", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann","emails":[{"value":"a@example.com","type":"work","primary":true},`+
			`{"value":"b@example.com","type":"home"}]`)
		check := func(a *answer, primary string) {
			a.t.Helper()
			for _, e := range a.want(http.StatusOK).list("emails") {
				object, _ := e.(map[string]any)
				if is := object["primary"] == true; is != (object["value"] == primary) {
					a.fail("the primary value should be %s", primary)
				}
			}
		}
		check(c.patch(path, `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`), "b@example.com")
		check(c.patch(path, `{"op":"add","path":"emails","value":[{"value":"c@example.com","type":"other","primary":true}]}`),
			"c@example.com")
		check(c.patch(path, `{"op":"add","path":"emails[type eq \"work\"].primary","value":"True"}`), "a@example.com")
		check(c.get(path), "a@example.com")
	}},
	{"70 what changes nothing", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann","title":"t","name":{"givenName":"A"},`+
			`"emails":[{"value":"a@example.com","type":"work","primary":true}]`)
		c.unchanged(path, func() {
			for _, op := range []string{
				`{"op":"add","path":"emails","value":[{"value":"a@example.com","type":"work","primary":true}]}`,
				`{"op":"add","path":"title","value":"t"}`,
				`{"op":"replace","path":"title","value":"t"}`, `{"op":"replace","value":{"title":"t","active":true}}`,
				`{"op":"remove","path":"nickName"}`,
				`{"op":"replace","path":"name","value":{"givenName":"A"}}`, `{"op":"replace","path":"active","value":"True"}`,
				`{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@example.com"}`,
				`{"op":"add","path":"nickName","value":"n"},{"op":"remove","path":"nickName"}`,
			} {
				c.patch(path, op).want(http.StatusOK)
			}
		})
		uid := c.create(`"userName":"bob"`)
		gpath := "/Groups/" + c.createGroup(`"displayName":"g","members":[{"value":"`+uid+`"}]`)
		c.unchanged(gpath, func() {
			c.patch(gpath, `{"op":"add","path":"members","value":[{"value":"`+uid+`"}]}`).is(http.StatusOK, http.StatusNoContent)
			c.patch(gpath, `{"op":"replace","value":{"displayName":"g"}}`).is(http.StatusOK, http.StatusNoContent)
			c.patch(gpath, `{"op":"remove","path":"members[value eq \"none\"]"}`).is(http.StatusOK, http.StatusNoContent)
			c.put(gpath, group(`"displayName":"g","members":[{"value":"`+uid+`"}]`)).want(http.StatusOK)
		})
	}},
	{"71 required and read-only attributes", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		c.unchanged(path, func() {
			c.patch(path, `{"op":"remove","path":"userName"}`).refused(http.StatusBadRequest, "mutability")
			c.patch(path, `{"op":"remove","path":"id"}`).refused(http.StatusBadRequest, "mutability")
			c.patch(path, `{"op":"replace","path":"id","value":"x"}`).refused(http.StatusBadRequest, "mutability")
			c.patch(path, `{"op":"replace","path":"meta.created","value":"2001-01-01T00:00:00Z"}`).
				refused(http.StatusBadRequest, "mutability")
			c.patch(path, `{"op":"remove","path":"meta"}`).refused(http.StatusBadRequest, "mutability")
			c.patch(path, `{"op":"replace","value":{"id":"x","meta":{"version":"x"}}}`).want(http.StatusOK)
		})
		gpath := "/Groups/" + c.createGroup(`"displayName":"g"`)
		c.unchanged(gpath, func() {
			c.patch(gpath, `{"op":"remove","path":"displayName"}`).refused(http.StatusBadRequest, "mutability")
		})
	}},
	{"72 bad paths and values", func(tenant func(string) *client) {
		c := tenant("rfc")
		path := "/Users/" + c.create(`"userName":"ann","emails":[{"value":"a@example.com","type":"work"}]`)
		c.unchanged(path, func() {
			for _, at := range []string{
				"favouriteColour", "name.shoeSize", "emails.colour", "urn:example:unknown:1.0:User:x",
				enterpriseURN + ":colour",
			} {
				c.patch(path, `{"op":"add","path":"`+at+`","value":"x"}`).refused(http.StatusBadRequest, "invalidPath")
				c.patch(path, `{"op":"remove","path":"`+at+`"}`).refused(http.StatusBadRequest, "invalidPath")
			}
			for _, at := range []string{
				`emails[type eq`, `emails[type eq \"work\"`, `emails[]`, `.`, `name.`, `[type eq \"x\"]`,
				`emails[type zz \"x\"].value`, `emails]`, `a b`, `title.x.y`,
			} {
				a := c.patch(path, `{"op":"add","path":"`+at+`","value":"x"}`)
				if a.is(http.StatusBadRequest) && a.str("scimType") != "invalidPath" &&
					a.str("scimType") != "invalidFilter" {
					a.fail("scimType %q", a.str("scimType"))
				}
			}
			for _, op := range []string{
				`{"op":"replace","path":"active","value":"maybe"}`, `{"op":"replace","path":"active","value":12}`,
				`{"op":"replace","path":"title","value":12}`,
				`{"op":"replace","path":"title","value":{"a":"b"}}`, `{"op":"replace","path":"name","value":"x"}`,
				`{"op":"add","path":"emails","value":[12]}`,
				`{"op":"replace","value":{"active":"maybe"}}`, `{"op":"replace","path":"name.givenName","value":{"x":1}}`,
				`{"op":"replace","path":"userName","value":""}`,
				`{"op":"replace","path":"emails[type eq \"work\"].value","value":12}`,
			} {
				c.patch(path, op).refused(http.StatusBadRequest, "invalidValue")
			}
		})
	}},
	{"73 all or nothing", func(tenant func(string) *client) {
		c := tenant("generic")
		c.create(`"userName":"taken"`)
		uid := c.create(`"userName":"bob"`)
		path := "/Users/" + c.create(`"userName":"ann","title":"t"`)
		c.unchanged(path, func() {
			c.patch(path, `{"op":"replace","path":"title","value":"u"},{"op":"replace","path":"active","value":"maybe"}`).
				refused(http.StatusBadRequest, "invalidValue")
			c.patch(path, `{"op":"add","path":"nickName","value":"n"},{"op":"remove","path":"userName"}`).
				refused(http.StatusBadRequest, "mutability")
			c.patch(path, `{"op":"add","path":"externalId","value":"e"},{"op":"replace","path":"userName","value":"TAKEN"}`).
				refused(http.StatusConflict, "uniqueness")
			c.patch(path, `{"op":"add","path":"title","value":"u"},{"op":"nonsense","path":"title","value":"u"}`).
				refused(http.StatusBadRequest, "")
		})
		c.filter("/Users", `externalId eq "e"`).has("totalResults", 0)
		gpath := "/Groups/" + c.createGroup(`"displayName":"g"`)
		c.unchanged(gpath, func() {
			c.patch(gpath, `{"op":"add","path":"members","value":[{"value":"`+uid+`"}]},{"op":"remove","path":"displayName"}`).
				refused(http.StatusBadRequest, "mutability")
		})
		c.get("/Users/"+uid).want(http.StatusOK).has("groups", map[string]any{"$len_or_absent": 0})
	}},
	{"74 active", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		path := "/Users/" + id
		for value, want := range map[string]bool{
			"false": false, `"True"`: true, `"False"`: false, "true": true,
			`"FALSE"`: false, `"true"`: true,
		} {
			c.patch(path, `{"op":"replace","path":"active","value":`+value+`}`).want(http.StatusOK).has("active", want)
			c.patch(path, `{"op":"replace","value":{"active":`+value+`}}`).want(http.StatusOK).has("active", want)
		}
		c.patch(path, `{"op":"replace","value":{"active":false}}`).want(http.StatusOK).has("active", false)
		c.get(path).want(http.StatusOK).has("active", false)
		c.filter("/Users", `userName eq "ann"`).lists("id", id).has("Resources[0].active", false)
		c.filter("/Users", `active eq false`).lists("id", id)
		c.get("/Users").lists("id", id)
		c.post("/Users", user(`"userName":"ann"`)).refused(http.StatusConflict, "uniqueness")
	}},
	{"75 externalId", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, at := range []struct{ path, filter string }{
			{"/Users/" + c.create(`"userName":"ann"`), "/Users"}, {"/Groups/" + c.createGroup(`"displayName":"g"`), "/Groups"},
		} {
			c.patch(at.path, `{"op":"add","path":"externalId","value":"e1"}`).is(http.StatusOK, http.StatusNoContent)
			c.get(at.path).want(http.StatusOK).has("externalId", "e1")
			c.patch(at.path, `{"op":"replace","path":"externalId","value":"e2"}`).is(http.StatusOK, http.StatusNoContent)
			c.filter(at.filter, `externalId eq "e2"`).has("totalResults", 1)
			c.filter(at.filter, `externalId eq "e1"`).has("totalResults", 0)
			c.patch(at.path, `{"op":"remove","path":"externalId"}`).is(http.StatusOK, http.StatusNoContent)
			c.get(at.path).want(http.StatusOK).lacks("externalId")
			c.filter(at.filter, `externalId eq "e2"`).has("totalResults", 0)
		}
	}},
	{"76 manager", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "entra"} {
			c := tenant(idp)
			boss, other := c.create(`"userName":"boss"`), c.create(`"userName":"other"`)
			path := "/Users/" + c.create(`"userName":"ann"`)
			at := enterpriseURN + ":manager"
			c.patch(path, `{"op":"Add","path":"`+at+`","value":{"value":"`+boss+`"}}`).want(http.StatusOK).
				has(manager+".value", boss)
			c.patch(path, `{"op":"Replace","path":"`+at+`","value":"`+other+`"}`).want(http.StatusOK).
				has(manager+".value", other)
			c.patch(path, `{"op":"replace","path":"`+at+`.value","value":"`+boss+`"}`).want(http.StatusOK).
				has(manager+".value", boss)
			c.patch(path, `{"op":"remove","path":"`+at+`"}`).want(http.StatusOK).lacks(manager)
			c.patch(path, `{"op":"add","path":"`+at+`","value":"`+boss+`"}`).want(http.StatusOK).has(manager+".value", boss)
			c.patch(path, `{"op":"replace","path":"`+at+`","value":""}`).want(http.StatusOK).lacks(manager).
				has("schemas", []string{userURN})
			c.patch(path, `{"op":"add","path":"`+at+`","value":[{"$ref":null,"value":"`+boss+`"}]}`).want(http.StatusOK).
				has(manager+".value", boss)
		}
		c := tenant("entra")
		boss := c.create(`"userName":"boss"`)
		path := "/Users/" + c.create(`"userName":"ann"`)
		c.patch(path, `{"op":"Add","path":"manager","value":"`+boss+`"}`).want(http.StatusOK).has(manager+".value", boss)
		c.patch(path, `{"op":"remove","path":"manager[value eq \"`+boss+`\"]"}`).want(http.StatusOK).lacks(manager)
	}},
	{"77 PATCH with attributes", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "entra", "okta", "rfc"} {
			c := tenant(idp)
			path := "/Users/" + c.create(`"userName":"ann","title":"t"`)
			c.patch(path, `{"op":"replace","path":"title","value":"u"}`, params("attributes", "title")).want(http.StatusOK).
				has("title", "u").lacks("userName")
			gpath := "/Groups/" + c.createGroup(`"displayName":"g","members":[{"value":"x"}]`)
			c.patch(gpath, `{"op":"replace","path":"displayName","value":"h"}`, params("attributes", "displayName")).
				want(http.StatusOK).
				has("displayName", "h").lacks("members")
			c.patch(gpath, `{"op":"replace","path":"displayName","value":"i"}`, params("excludedAttributes", "displayName")).
				want(http.StatusOK).
				lacks("displayName").has("members", map[string]any{"$len": 1})
		}
	}},
	{"78 groups of a user are read-only", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		gid := c.createGroup(`"displayName":"g"`)
		c.unchanged(path, func() {
			for _, op := range []string{
				`{"op":"add","path":"groups","value":[{"value":"` + gid + `"}]}`, `{"op":"replace","path":"groups","value":[]}`,
				`{"op":"remove","path":"groups"}`,
				`{"op":"replace","path":"groups[value eq \"x\"].display","value":"d"}`,
			} {
				c.patch(path, op).refused(http.StatusBadRequest, "mutability")
			}
			c.patch(path, `{"op":"add","value":{"groups":[{"value":"`+gid+`"}]}}`).want(http.StatusOK)
		})
		c.get("/Groups/"+gid).want(http.StatusOK).has("members", map[string]any{"$len_or_absent": 0})
	}},
	{"many operations in one request", func(tenant func(string) *client) {
		c := tenant("entra")
		path := "/Users/" + c.create(`"userName":"ann"`)
		operations := make([]string, 60)
		for i := range operations {
			operations[i] = fmt.Sprintf(`{"op":"Add","path":"roles","value":[{"value":"r%02d"}]}`, i)
		}
		a := c.patch(path, strings.Join(operations, ",")).want(http.StatusOK)
		a.has("roles", map[string]any{"$len": 60})
	}},
}
