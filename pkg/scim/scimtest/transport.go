package scimtest

import (
	"net/http"
	"net/url"
	"strings"
)

var transportBehaviours = []behaviour{
	{"1 content type of every body", func(tenant func(string) *client) {
		c := tenant("generic")
		// Each answer is checked for its media type by the client itself; these are one of each kind.
		id := c.create(`"userName":"ann"`)
		c.get("/Users/" + id).want(http.StatusOK)
		c.get("/Users").want(http.StatusOK)
		c.get("/Users/none").want(http.StatusNotFound)
		c.get("/ServiceProviderConfig").want(http.StatusOK)
		c.patch("/Users/"+id, `{"op":"replace","path":"title","value":"x"}`).want(http.StatusOK)
		c.get("/Users", header("Authorization", "Bearer nonsense")).want(http.StatusUnauthorized)
	}},
	{"2 every Accept is answered", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		for _, accept := range []string{
			"application/scim+json", "application/json", "*/*", "application/*", "text/html", "application/xml",
			"application/scim+json, application/json;q=0.5", "application/json;q=0.9, */*;q=0.1", "nonsense", ";;,",
		} {
			c.get("/Users/"+id, header("Accept", accept)).want(http.StatusOK).has("userName", "ann")
		}
		c.get("/Users/"+id, without("Accept")).want(http.StatusOK)
		c.get("/Users/none", header("Accept", "application/json")).want(http.StatusNotFound)
	}},
	{"2 every JSON content type is read, others are 415", func(tenant func(string) *client) {
		c := tenant("generic")
		for i, contentType := range []string{
			"application/scim+json", "application/json", "application/json; charset=utf-8",
			`application/scim+json; charset="UTF-8"`,
			"APPLICATION/JSON", "application/vnd.example+json",
		} {
			name := string(rune('a' + i))
			id := c.post("/Users", user(`"userName":"`+name+`"`), header("Content-Type", contentType)).want(http.StatusCreated).
				id()
			c.put("/Users/"+id, user(`"userName":"`+name+`"`), header("Content-Type", contentType)).want(http.StatusOK)
			c.do(http.MethodPatch, "/Users/"+id, patchOp(`{"op":"add","path":"title","value":"x"}`),
				header("Content-Type", contentType)).want(http.StatusOK)
		}
		c.post("/Users", user(`"userName":"none"`), without("Content-Type")).want(http.StatusCreated)
		id := c.create(`"userName":"kept"`)
		for _, contentType := range []string{
			"text/plain", "application/xml", "application/x-www-form-urlencoded",
			"multipart/form-data; boundary=x",
		} {
			c.post("/Users", user(`"userName":"refused"`), header("Content-Type", contentType)).
				refused(http.StatusUnsupportedMediaType, "")
			c.put("/Users/"+id, user(`"userName":"refused"`), header("Content-Type", contentType)).
				refused(http.StatusUnsupportedMediaType, "")
		}
		c.filter("/Users", `userName eq "refused"`).lists("userName")
	}},
	{"3 UTF-8 goes round", func(tenant func(string) *client) {
		c := tenant("generic")
		const name = "Zoë 😀 Ångström 山田太郎 \u00df"
		id := c.create(`"userName":"zoë@例え.jp","displayName":` + quote(name) + `,"name":{"familyName":"\u5c71\ud83d\ude00"}`)
		c.get("/Users/"+id).want(http.StatusOK).has("displayName", name).has("userName", "zoë@例え.jp").
			has("name.familyName", "山😀")
		c.filter("/Users", `displayName eq `+quote(name)).lists("displayName", name)
		c.filter("/Users", `userName eq "ZOË@例え.jp"`).lists("userName", "zoë@例え.jp")
	}},
	{"4 no token or a wrong one is a 401", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, authorization := range []string{
			"", "Bearer", "Bearer ", "Bearer " + c.target.badToken(), "Basic dXNlcjpwYXNz", "Basic " + c.target.Token,
			"Bearer " + c.target.Token + "x", "Bearer " + c.target.Token[:len(c.target.Token)-1], "Digest x",
			c.target.badToken(),
		} {
			for _, path := range []string{"/Users", "/Users/x", "/Groups", "/Schemas", "/ResourceTypes"} {
				c.get(path, header("Authorization", authorization)).refused(http.StatusUnauthorized, "")
			}
			c.post("/Users", user(`"userName":"ann"`), header("Authorization", authorization)).
				refused(http.StatusUnauthorized, "")
		}
		c.get("/Users", without("Authorization")).refused(http.StatusUnauthorized, "")
		c.get("/Users").lists("userName")
	}},
	{"5 the scheme name in any case, or the bare token", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, prefix := range []string{"Bearer ", "bearer ", "BEARER ", "bEaReR ", ""} {
			c.get("/Users", header("Authorization", prefix+c.target.Token)).want(http.StatusOK)
		}
	}},
	{"6 error bodies", func(tenant func(string) *client) {
		c := tenant("generic")
		// Shape, status and detail of each are checked by the client itself.
		c.create(`"userName":"ann"`)
		c.get("/Users/none").refused(http.StatusNotFound, "")
		c.get("/Users", params("filter", "nonsense")).refused(http.StatusBadRequest, "invalidFilter")
		c.post("/Users", user(`"userName":"ann"`)).refused(http.StatusConflict, "uniqueness")
		c.post("/Users", `{`).refused(http.StatusBadRequest, "invalidSyntax")
	}},
	{"7 an unknown endpoint is a 404", func(tenant func(string) *client) {
		c := tenant("generic")
		const uuid = "0d4e1a4e-7a0c-4f2c-8a3e-0f4d1c5b6a79"
		for _, path := range []string{
			"/" + uuid, "/Nonsense", "/Users/x/y", "/Groups/x/members", "/Users/.nonsense",
			"/.nonsense",
		} {
			c.get(path).refused(http.StatusNotFound, "")
		}
		c.post("/Nonsense", `{}`).refused(http.StatusNotFound, "")
		c.delete("/Nonsense/1").refused(http.StatusNotFound, "")
		root, err := url.Parse(c.target.BaseURL)
		if err != nil {
			c.t.Fatal(err)
		}
		outside := *c
		outside.target.BaseURL = root.Scheme + "://" + root.Host
		outside.get("/"+uuid).refused(http.StatusNotFound, "")
		outside.get("/").refused(http.StatusNotFound, "")
	}},
	{"8 malformed JSON is a 400", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		for _, body := range []string{`{`, `{"userName":}`, `nonsense`, `[]`, `"x"`, `1`, `null`, `{}{}`, `{"a":1,}`, " "} {
			c.post("/Users", body).refused(http.StatusBadRequest, "invalidSyntax")
			c.put("/Users/"+id, body).refused(http.StatusBadRequest, "invalidSyntax")
			c.do(http.MethodPatch, "/Users/"+id, body).refused(http.StatusBadRequest, "invalidSyntax")
		}
		for _, method := range []string{http.MethodPut, http.MethodPatch} {
			c.do(method, "/Users/"+id, "").refused(http.StatusBadRequest, "")
		}
		c.post("/Users", "").refused(http.StatusBadRequest, "")
		c.post("/Groups", "").refused(http.StatusBadRequest, "")
		c.get("/Users").lists("userName", "ann")
	}},
	{"9 never a 5xx for a client's mistake", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		c.get("/Users", params("filter", `userName eq`)).refused(http.StatusBadRequest, "invalidFilter")
		c.get("/Users", params("startIndex", "x")).is(http.StatusOK, http.StatusBadRequest)
		c.get("/Users", params("count", "x")).is(http.StatusOK, http.StatusBadRequest)
		c.get("/Users", query("filter=%zz")).is(http.StatusOK, http.StatusBadRequest)
		c.get("/Users/%00").is(http.StatusNotFound, http.StatusBadRequest)
		c.get("/Users/%2e%2e").is(http.StatusNotFound, http.StatusBadRequest)
		c.get("/Users/a%2Fb%23c%3Fd%25").is(http.StatusNotFound, http.StatusBadRequest)
		c.patch("/Users/"+id, `{"op":"replace","path":"[","value":1}`).is(http.StatusBadRequest)
		c.post("/Users", user(`"userName":{"a":1}`)).refused(http.StatusBadRequest, "invalidValue")
		c.get("/Users/"+id).want(http.StatusOK).has("userName", "ann")
	}},
	{"10 unsupported methods are a 405", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, path := range []string{
			"/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/Schemas/" + userURN, "/ResourceTypes/User",
		} {
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				a := c.do(method, path, `{}`).refused(http.StatusMethodNotAllowed, "")
				if !strings.Contains(a.Header.Get("Allow"), http.MethodGet) {
					a.fail("Allow is %q", a.Header.Get("Allow"))
				}
			}
		}
		id := c.create(`"userName":"ann"`)
		for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
			c.do(method, "/Users", `{}`).is(http.StatusMethodNotAllowed, http.StatusNotFound)
		}
		c.post("/Users/"+id, user(`"userName":"bob"`)).is(http.StatusMethodNotAllowed, http.StatusNotFound)
		c.get("/Users").lists("userName", "ann")
	}},
	{"11 attribute names in any case", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.post("/Users", `{"SCHEMAS":["`+userURN+`"],"USERNAME":"ann","NAME":{"GIVENNAME":"Ann","familyname":"Lee"},`+
			`"EMAILS":[{"VALUE":"a@example.com","Type":"work"}]}`).want(http.StatusCreated).id()
		c.get("/Users/"+id).want(http.StatusOK).has("userName", "ann").has("name.givenName", "Ann").
			has("name.familyName", "Lee").
			has("emails[0].value", "a@example.com").has("emails[0].type", "work")
		c.patch("/Users/"+id, `{"op":"replace","path":"NAME.GIVENNAME","value":"Anna"}`).want(http.StatusOK).
			has("name.givenName", "Anna")
		c.patch("/Users/"+id, `{"op":"replace","path":"Emails[TYPE eq \"work\"].VALUE","value":"b@example.com"}`).
			want(http.StatusOK).
			has("emails[0].value", "b@example.com").has("emails", map[string]any{"$len": 1})
		c.patch("/Users/"+id, `{"op":"add","value":{"TITLE":"Boss"}}`).want(http.StatusOK).has("title", "Boss").lacks("TITLE")
		c.do(http.MethodPatch, "/Users/"+id,
			`{"SCHEMAS":["`+patchURN+`"],"operations":[{"OP":"add","PATH":"nickName","VALUE":"A"}]}`).
			want(http.StatusOK).has("nickName", "A")
		c.filter("/Users", `USERNAME eq "ann"`).lists("userName", "ann")
		c.filter("/Users", `Emails.Value eq "b@example.com"`).lists("userName", "ann")
		c.get("/Users/"+id, params("attributes", "USERNAME,name.FAMILYNAME")).want(http.StatusOK).
			has("userName", "ann").
			has("name.familyName", "Lee").lacks("name.givenName", "emails")
		c.get("/Users/"+id, params("excludedAttributes", "EMAILS")).want(http.StatusOK).lacks("emails")
		c.put("/Users/"+id, `{"Schemas":["`+userURN+`"],"username":"ann","DisplayName":"A"}`).want(http.StatusOK).
			has("displayName", "A")
	}},
	{"12 order and unknown attributes do not matter", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.post("/Users", `{"favouriteColour":"red","userName":"ann","name":{"shoeSize":44,"givenName":"Ann"},`+
			`"x":{"y":[1,null]},"schemas":["`+
			userURN+`","urn:example:unknown:1.0:User"],"urn:example:unknown:1.0:User":{"a":"b"}}`).want(http.StatusCreated).
			has("name.givenName", "Ann").
			lacks("favouriteColour", "name.shoeSize", "x", "['urn:example:unknown:1.0:User']").
			has("schemas", []string{userURN}).id()
		c.put("/Users/"+id, `{"favouriteColour":"red","schemas":["`+userURN+`"],"userName":"ann","title":"t"}`).
			want(http.StatusOK).
			has("title", "t").lacks("favouriteColour")
		c.get("/Users/"+id).want(http.StatusOK).lacks("favouriteColour", "x")
	}},
	{"13 names in answers", func(tenant func(string) *client) {
		c := tenant("generic")
		// Keys of every answer are checked by the client itself.
		c.create(`"userName":"ann","` + enterpriseURN + `":{"department":"d"}`)
		a := c.get("/Schemas").want(http.StatusOK)
		for _, id := range a.column("id") {
			if strings.HasPrefix(id, messagePrefix) {
				a.fail("a message is listed as a schema: %s", id)
			}
		}
		for i := range a.list("Resources") {
			checkAttributeNames(a, a.list("Resources")[i])
		}
		c.get("/Users").want(http.StatusOK).has("schemas[0]", listURN)
	}},
}

// checkAttributeNames checks the names that a schema declares (RFC 7643, section 2.1).
func checkAttributeNames(a *answer, v any) {
	a.t.Helper()
	object, _ := v.(map[string]any)
	for _, key := range []string{"attributes", "subAttributes"} {
		list, _ := object[key].([]any)
		for _, element := range list {
			attribute, _ := element.(map[string]any)
			name, _ := attribute["name"].(string)
			if !attributeName.MatchString(name) && name != "$ref" {
				a.fail("attribute %q is declared", name)
			}
			checkAttributeNames(a, element)
		}
	}
}
