package scimtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

var createBehaviours = []behaviour{
	{"21 only a userName is needed", func(tenant func(string) *client) {
		c := tenant("generic")
		a := c.post("/Users", `{"schemas":["`+userURN+`"],"userName":"ann"}`).want(http.StatusCreated).
			has("userName", "ann").has("active", true).has("schemas", []string{userURN}).
			has("meta.resourceType", "User")
		got := c.get("/Users/" + a.id()).want(http.StatusOK)
		if string(got.Body) != string(a.Body) {
			got.fail("GET differs from the 201: %s", clip(a.Body))
		}
	}},
	{"22 a 201 says where", func(tenant func(string) *client) {
		c := tenant("generic")
		// Content-Location, ETag and meta.version are compared with these by the client itself.
		a := c.post("/Users", user(`"userName":"ann"`)).want(http.StatusCreated)
		a.has("meta.location", a.Header.Get("Location")).has("meta.version", a.Header.Get("ETag"))
		if !strings.HasSuffix(a.Header.Get("Location"), "/Users/"+a.id()) {
			a.fail("Location %q", a.Header.Get("Location"))
		}
		g := c.post("/Groups", group(`"displayName":"g"`)).want(http.StatusCreated)
		g.has("meta.location", g.Header.Get("Location")).has("meta.version", g.Header.Get("ETag"))
	}},
	{"23 ids are the server's", func(tenant func(string) *client) {
		c := tenant("generic")
		seen := map[string]bool{}
		for _, id := range []string{"mine", "bulkId:1", "", "00000000-0000-0000-0000-000000000000"} {
			name := "u" + id
			a := c.post("/Users", user(`"id":`+quote(id)+`,"userName":`+quote(name)+
				`,"meta":{"resourceType":"Group","version":"W/\"99\"","created":"2001-01-01T00:00:00Z"}`)).
				want(http.StatusCreated).has("meta.resourceType", "User")
			if strings.HasPrefix(a.str("meta.created"), "2001") || a.id() == id || strings.Contains(a.id(), "bulkId") ||
				seen[a.id()] {
				a.fail("the client chose")
			}
			seen[a.id()] = true
		}
		a := c.post("/Groups", group(`"id":"mine","displayName":"g","meta":null`)).want(http.StatusCreated)
		if a.id() == "mine" || seen[a.id()] {
			a.fail("the client chose")
		}
	}},
	{"24 meta", func(tenant func(string) *client) {
		c := tenant("generic")
		for path, a := range map[string]*answer{
			"User":  c.post("/Users", user(`"userName":"ann"`)).want(http.StatusCreated),
			"Group": c.post("/Groups", group(`"displayName":"g"`)).want(http.StatusCreated),
		} {
			a.has("meta.resourceType", path).has("meta.lastModified", a.str("meta.created"))
			if _, err := time.Parse(time.RFC3339Nano, a.str("meta.created")); err != nil {
				a.fail("meta.created: %v", err)
			}
			if v := a.str("meta.version"); !strings.HasPrefix(v, `W/"`) {
				a.fail("meta.version %q is not weak", v)
			}
		}
	}},
	{"25 schemas", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.post("/Users", `{"schemas":["`+enterpriseURN+`","`+userURN+`","`+userURN+`"],"userName":"ann"}`).
			want(http.StatusCreated).
			has("schemas", []string{userURN}).id()
		c.patch("/Users/"+id, `{"op":"add","path":"`+enterpriseURN+`:department","value":"d"}`).want(http.StatusOK).
			has("schemas", []string{userURN, enterpriseURN})
		c.patch("/Users/"+id, `{"op":"remove","path":"`+enterpriseURN+`:department"}`).want(http.StatusOK).
			has("schemas", []string{userURN}).lacks("['" + enterpriseURN + "']")
		c.post("/Users", user(`"userName":"bob","`+enterpriseURN+`":{"department":"d"}`)).want(http.StatusCreated).
			has("schemas", []string{userURN, enterpriseURN})
		c.post("/Users", `{"userName":"carol"}`).is(http.StatusCreated, http.StatusBadRequest)
	}},
	{"26 userName is required", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, members := range []string{`"displayName":"x"`, `"userName":""`, `"userName":null`, `"userName":[]`} {
			c.post("/Users", user(members)).refused(http.StatusBadRequest, "invalidValue")
		}
		c.get("/Users").lists("userName")
	}},
	{"27 userName is unique", func(tenant func(string) *client) {
		c := tenant("generic")
		body := user(`"userName":"Ann@Example.com"`)
		c.post("/Users", body).want(http.StatusCreated)
		c.post("/Users", body).refused(http.StatusConflict, "uniqueness")
		c.post("/Users", user(`"userName":"ann@example.COM"`)).refused(http.StatusConflict, "uniqueness")
		c.post("/Users", user(`"userName":"ann@example.co"`)).want(http.StatusCreated)
		c.get("/Users").lists("userName", "Ann@Example.com", "ann@example.co")
	}},
	{"28 wrong types are refused, string booleans read", func(tenant func(string) *client) {
		rfc := tenant("rfc")
		for _, members := range []string{
			`"active":1`, `"active":"1"`, `"displayName":12`, `"emails":[{"value":12}]`, `"displayName":{"value":"x"}`,
			`"emails":"bare"`,
		} {
			rfc.post("/Users", user(`"userName":"refused",`+members)).refused(http.StatusBadRequest, "invalidValue")
		}
		rfc.post("/Users", user(`"userName":12`)).refused(http.StatusBadRequest, "invalidValue")
		rfc.get("/Users").lists("userName")
		c := tenant("generic")
		for _, members := range []string{
			`"active":"maybe"`, `"active":2`, `"active":{}`, `"displayName":1.2`, `"displayName":true`, `"displayName":{"a":1}`,
			`"name":"x"`, `"name":[1]`, `"emails":[12]`, `"emails":[{"value":1e3}]`,
			`"emails":[{"value":"a@example.com","primary":"perhaps"}]`, `"` + enterpriseURN + `":"x"`,
			`"` + enterpriseURN + `":{"department":12.12}`,
		} {
			c.post("/Users", user(`"userName":"refused",`+members)).refused(http.StatusBadRequest, "invalidValue")
		}
		c.get("/Users").lists("userName")
		for i, value := range []string{`"True"`, `"true"`, `"TRUE"`, `true`} {
			name := string(rune('a' + i))
			c.post("/Users", user(`"userName":"`+name+`","active":`+value+`,"emails":[{"value":"x@example.com","primary":`+value+
				`}]`)).
				want(http.StatusCreated).has("active", true).has("emails[0].primary", true)
		}
		c.post("/Users", user(`"userName":"off","active":"False"`)).want(http.StatusCreated).has("active", false)
	}},
	{"29 null and [] mean unassigned", func(tenant func(string) *client) {
		c := tenant("generic")
		c.post("/Users", user(`"userName":"ann","title":null,"name":null,"emails":[],"phoneNumbers":null,"roles":[],`+
			`"addresses":[{"type":"work","locality":"L","region":null}],`+
			`"photos":[null],"externalId":null,"`+enterpriseURN+`":{"department":null,"manager":null}`)).
			want(http.StatusCreated).
			lacks("title", "name", "emails", "phoneNumbers", "roles", "externalId", "photos", "addresses[0].region",
				"['"+enterpriseURN+"']").
			has("addresses[0].locality", "L").has("schemas", []string{userURN})
		c.post("/Groups", group(`"displayName":"g","members":null`)).want(http.StatusCreated).
			has("members", map[string]any{"$len_or_absent": 0})
		c.post("/Groups", group(`"displayName":"h","members":[]`)).want(http.StatusCreated).
			has("members", map[string]any{"$len_or_absent": 0})
	}},
	{"30 one primary, no exact duplicates", func(tenant func(string) *client) {
		c := tenant("generic")
		a := c.post("/Users", user(`"userName":"ann","emails":[{"value":"a@example.com","primary":true},`+
			`{"value":"b@example.com","primary":true}]`))
		if a.is(http.StatusCreated, http.StatusBadRequest) && a.Status == http.StatusCreated {
			primaries := 0
			for _, e := range a.list("emails") {
				if e, _ := e.(map[string]any); e["primary"] == true {
					primaries++
				}
			}
			if primaries != 1 {
				a.fail("%d primary values", primaries)
			}
		}
		a = c.post("/Users", user(`"userName":"bob","emails":[{"value":"a@example.com","type":"work"},`+
			`{"value":"a@example.com","type":"work"}]`))
		if a.is(http.StatusCreated, http.StatusBadRequest) && a.Status == http.StatusCreated {
			a.has("emails", map[string]any{"$len": 1})
		}
	}},
	{"31 value formats are not enforced", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann","locale":"xx_nowhere","timezone":"Mars/Olympus","preferredLanguage":"???",` +
			`"profileUrl":"not a url",` +
			`"emails":[{"value":"not an address","type":"pigeon"}],"phoneNumbers":[{"value":"call me"}],` +
			`"addresses":[{"country":"Atlantis"}]`)
		c.get("/Users/"+id).want(http.StatusOK).has("locale", "xx_nowhere").has("timezone", "Mars/Olympus").
			has("preferredLanguage", "???").
			has("profileUrl", "not a url").has("emails[0].value", "not an address").has("emails[0].type", "pigeon").
			has("phoneNumbers[0].value", "call me").has("addresses[0].country", "Atlantis")
	}},
	{"32 a password never comes back", func(tenant func(string) *client) {
		c := tenant("generic")
		const secret = "t0p-s3cret-Pa55"
		check := func(a *answer) {
			a.t.Helper()
			if strings.Contains(string(a.Body), secret) {
				a.fail("the password comes back")
			}
		}
		a := c.post("/Users", user(`"userName":"ann","password":"`+secret+`"`)).want(http.StatusCreated)
		check(a)
		path := "/Users/" + a.id()
		check(c.get(path))
		check(c.get(path, params("attributes", "password")).want(http.StatusOK))
		check(c.get("/Users", params("attributes", "password,userName")).want(http.StatusOK))
		check(c.put(path, user(`"userName":"ann","password":"`+secret+`"`)).want(http.StatusOK))
		check(c.patch(path, `{"op":"replace","path":"password","value":"`+secret+`"}`).want(http.StatusOK))
		check(c.patch(path, `{"op":"replace","value":{"password":"`+secret+`","title":"t"}}`).want(http.StatusOK).
			has("title", "t"))
		for _, filter := range []string{`password eq "` + secret + `"`, `password pr`, `password sw "t"`} {
			found := c.get("/Users", params("filter", filter))
			if found.is(http.StatusOK, http.StatusBadRequest) && found.Status == http.StatusOK {
				found.has("totalResults", 0)
			}
		}
	}},
	{"33 the enterprise extension goes round", func(tenant func(string) *client) {
		c := tenant("generic")
		boss := c.create(`"userName":"boss","displayName":"The Boss"`)
		at := "['" + enterpriseURN + "']"
		id := c.create(`"userName":"ann","` + enterpriseURN +
			`":{"employeeNumber":"701984","costCenter":"4130","organization":"O","division":"D",` +
			`"department":"T","manager":{"value":"` + boss + `"}}`)
		a := c.get("/Users/" + id).want(http.StatusOK)
		for name, value := range map[string]string{
			"employeeNumber": "701984", "costCenter": "4130", "organization": "O", "division": "D", "department": "T",
			"manager.value": boss,
		} {
			a.has(at+"."+name, value)
		}
		if ref := a.str(at + ".manager.$ref"); ref != "" && !strings.HasSuffix(ref, "/Users/"+boss) {
			a.fail("manager.$ref is %q", ref)
		}
	}},
	{"34 extension data whose URN is missing from schemas", func(tenant func(string) *client) {
		body := `{"schemas":["` + userURN + `"],"userName":"ann","` + enterpriseURN + `":{"department":"d"}}`
		for _, idp := range []string{"generic", "entra", "okta"} {
			tenant(idp).post("/Users", body).want(http.StatusCreated).has("['"+enterpriseURN+"'].department", "d").
				has("schemas", []string{userURN, enterpriseURN})
		}
		c := tenant("rfc")
		a := c.post("/Users", body)
		a.refused(http.StatusBadRequest, "")
		if !slices.Contains([]string{"invalidSyntax", "invalidValue"}, a.str("scimType")) {
			a.fail("scimType %q", a.str("scimType"))
		}
		c.get("/Users").lists("userName")
	}},
	{"35 a deleted userName is free again", func(tenant func(string) *client) {
		c := tenant("generic")
		first := c.create(`"userName":"ann","externalId":"e1"`)
		c.delete("/Users/" + first).want(http.StatusNoContent)
		second := c.create(`"userName":"Ann","externalId":"e1"`)
		if first == second {
			c.t.Errorf("the id %s was used twice", first)
		}
		c.get("/Users/"+first).refused(http.StatusNotFound, "")
		c.filter("/Users", `userName eq "ann"`).lists("id", second)
		c.filter("/Users", `externalId eq "e1"`).lists("id", second)
	}},
}
