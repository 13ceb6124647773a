package scimtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// decisionBehaviours are the behaviours in points on which clients and the RFC disagree; patchDecisionBehaviours are
// those about PATCH.
var decisionBehaviours = []behaviour{
	{"status in an error is a string", func(tenant func(string) *client) {
		tenant("generic").get("/Users/none").refused(http.StatusNotFound, "").has("status", "404")
	}},
	{"a missing required value is invalidValue, a malformed message invalidSyntax", func(tenant func(string) *client) {
		c := tenant("generic")
		c.post("/Users", user(`"title":"t"`)).refused(http.StatusBadRequest, "invalidValue")
		c.post("/Groups", group(`"externalId":"t"`)).refused(http.StatusBadRequest, "invalidValue")
		c.post("/Users", `{"userName":"ann"`).refused(http.StatusBadRequest, "invalidSyntax")
		path := "/Users/" + c.create(`"userName":"ann"`)
		c.do(http.MethodPatch, path, `{"schemas":["`+patchURN+`"]}`).refused(http.StatusBadRequest, "invalidSyntax")
	}},
	{"filter on discovery", func(tenant func(string) *client) {
		c := tenant("generic")
		c.get("/Schemas", params("filter", "x")).refused(http.StatusForbidden, "")
		c.get("/ResourceTypes", params("filter", "x")).refused(http.StatusForbidden, "")
		c.get("/ServiceProviderConfig", params("filter", "x", "nonsense", "y")).want(http.StatusOK)
	}},
	{"a second group of one name", func(tenant func(string) *client) {
		for _, idp := range []string{
			"entra", "okta", "google", "onelogin", "pingone", "jumpcloud", "keycloak", "authentik",
			"rippling", "cyberark", "sailpoint", "pingfederate",
		} {
			c := tenant(idp)
			c.createGroup(`"displayName":"Sales"`)
			c.post("/Groups", group(`"displayName":"Sales"`)).refused(http.StatusConflict, "uniqueness")
			c.post("/Groups", group(`"displayName":"SALES"`)).refused(http.StatusConflict, "uniqueness")
			other := "/Groups/" + c.createGroup(`"displayName":"Other"`)
			c.unchanged(other, func() {
				c.put(other, group(`"displayName":"sales"`)).refused(http.StatusConflict, "uniqueness")
				c.patch(other, `{"op":"replace","path":"displayName","value":"sales"}`).refused(http.StatusConflict, "uniqueness")
			})
			c.patch(other, `{"op":"replace","path":"displayName","value":"OTHER"}`).changed()
			c.delete(other).want(http.StatusNoContent)
			c.createGroup(`"displayName":"other"`)
			c.get("/Groups").lists("displayName", "Sales", "other")
		}
		for _, idp := range []string{"generic", "rfc"} {
			c := tenant(idp)
			c.createGroup(`"displayName":"Sales"`)
			c.createGroup(`"displayName":"Sales"`)
			c.filter("/Groups", `displayName eq "sales"`).lists("displayName", "Sales", "Sales")
		}
	}},
	{"the setting uniqueGroupNames", func(tenant func(string) *client) {
		c := tenant("generic")
		c.configure(`{"scim":{"uniqueGroupNames":true}}`)
		c.createGroup(`"displayName":"Sales"`)
		c.post("/Groups", group(`"displayName":"sales"`)).refused(http.StatusConflict, "uniqueness")
		c = tenant("entra")
		c.configure(`{"scim":{"uniqueGroupNames":false}}`)
		c.createGroup(`"displayName":"Sales"`)
		c.createGroup(`"displayName":"Sales"`)
	}},
	{"a member that names nobody", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "entra", "rfc"} {
			c := tenant(idp)
			gid := c.createGroup(`"displayName":"g","members":[{"value":"nobody"},{"value":"Later-1"}]`)
			path := "/Groups/" + gid
			c.get(path).want(http.StatusOK).hasValues("members", "Later-1", "nobody").
				lacks("members[?value=nobody].$ref", "members[?value=nobody].type")
			c.patch(path, `{"op":"add","path":"members","value":[{"value":"later-2"},{"value":"gone"}]}`).changed()
			c.patch(path, `{"op":"remove","path":"members[value eq \"gone\"]"}`).changed()
			c.filter("/Groups", `members.value eq "nobody"`).lists("id", gid)
			byExternalID := c.create(`"userName":"ann","externalId":"Later-1"`)
			byUserName := c.create(`"userName":"Later-2"`)
			c.get(path).want(http.StatusOK).hasValues("members", "nobody", byExternalID, byUserName).
				has("members[?value="+byExternalID+"].type", "User").has("members[?value="+byUserName+"].$ref", exists)
			c.get("/Users/"+byExternalID).want(http.StatusOK).hasValues("groups", gid)
			c.get("/Users/"+byUserName).want(http.StatusOK).hasValues("groups", gid)
			c.patch(path, `{"op":"remove","path":"members","value":[{"value":"nobody"}]}`).changed()
			c.get(path).want(http.StatusOK).hasValues("members", byExternalID, byUserName)
		}
	}},
	{"a manager that names nobody", func(tenant func(string) *client) {
		c := tenant("entra")
		path := "/Users/" + c.create(`"userName":"ann","`+enterpriseURN+`":{"manager":{"value":"boss"}}`)
		c.get(path).want(http.StatusOK).has(manager+".value", "boss").lacks(manager + ".$ref")
		boss := c.create(`"userName":"Boss"`)
		c.get(path).want(http.StatusOK).has(manager+".value", boss)
		c.filter("/Users", enterpriseURN+`:manager.value eq `+quote(boss)).has("totalResults", 1)
	}},
	{"the id in the body of a PUT is ignored", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		other := c.create(`"userName":"bob"`)
		c.put("/Users/"+id, user(`"id":"`+other+`","userName":"ann","title":"t"`)).want(http.StatusOK).has("id", id).
			has("title", "t")
		c.get("/Users/" + other).want(http.StatusOK).lacks("title")
	}},
	{"string booleans in values and filters", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "entra", "rfc"} {
			c := tenant(idp)
			c.create(`"userName":"ann","active":"tRuE"`)
			c.create(`"userName":"bob","active":"FALSE"`)
			c.finds(expect{`active eq "TRUE"`: {"ann"}, `active eq "False"`: {"bob"}, `active eq true`: {"ann"}})
			c.post("/Users", user(`"userName":"carol","active":"yes"`)).refused(http.StatusBadRequest, "invalidValue")
		}
	}},
	{"an unquoted string in a filter", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "okta"} {
			c := tenant(idp)
			c.get("/Users", params("filter", `externalId eq jyoung`)).refused(http.StatusBadRequest, "invalidFilter")
		}
		c := tenant("entra")
		id := c.create(`"userName":"ann","externalId":"jyoung"`)
		c.filter("/Users", `externalId eq jyoung`).lists("id", id)
		c.filter("/Users", `externalId eq nobody`).lists("id")
	}},
	{"PUT without userName or active", func(tenant func(string) *client) {
		c := tenant("okta")
		path := "/Users/" + c.create(`"userName":"ann","active":false`)
		c.put(path, user(`"displayName":"x"`)).refused(http.StatusBadRequest, "invalidValue")
		c.put(path, user(`"userName":"ann","displayName":"x"`)).want(http.StatusOK).has("active", false).
			has("displayName", "x")
		c.put(path, user(`"userName":"ann","active":true`)).want(http.StatusOK).has("active", true)
		c.put(path, user(`"userName":"ann"`)).want(http.StatusOK).has("active", true)
		c.post("/Users", user(`"userName":"bob"`)).want(http.StatusCreated).has("active", true)
	}},
	{"location headers", func(tenant func(string) *client) {
		c := tenant("generic")
		// That Location, Content-Location and meta.location are one absolute URL is checked by the client on every
		// answer.
		id := c.create(`"userName":"ann"`)
		path := "/Users/" + id
		var seen []string
		for _, a := range []*answer{
			c.get(path), c.put(path, user(`"userName":"ann","title":"t"`)),
			c.patch(path, `{"op":"add","path":"title","value":"u"}`),
			c.get(path, params("attributes", "userName")), c.get("/Users", params("attributes", "meta.location")),
		} {
			a.want(http.StatusOK)
			location := a.Header.Get("Location")
			if location == "" {
				location = a.str("Resources[0].meta.location")
			}
			seen = append(seen, location)
		}
		if len(slices.Compact(slices.Clone(seen))) != 1 {
			c.t.Errorf("locations of one user: %q", seen)
		}
		for _, path := range []string{"/ServiceProviderConfig", "/Schemas/" + userURN, "/ResourceTypes/User"} {
			a := c.get(path).want(http.StatusOK)
			location := a.str("meta.location")
			u, err := url.Parse(location)
			if err != nil || !u.IsAbs() || a.Header.Get("Location") != location ||
				a.Header.Get("Content-Location") != location {
				a.fail("meta.location %q, Location %q, Content-Location %q", location, a.Header.Get("Location"),
					a.Header.Get("Content-Location"))
			}
		}
	}},
	{"empty members are []", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.createGroup(`"displayName":"g"`)
		c.get("/Groups/"+id, params("attributes", "members")).want(http.StatusOK).holds("members", "[]")
		c.get("/Groups", params("attributes", "displayName,members")).want(http.StatusOK).
			holds("Resources[0].members", "[]")
		c.get("/Groups/"+id, params("attributes", "displayName")).want(http.StatusOK).lacks("members")
	}},
	{"no extra keys in a list", func(tenant func(string) *client) {
		c := tenant("generic")
		c.many(3)
		for _, q := range []string{"", "count=1", "startIndex=2&count=1", "count=0"} {
			a := c.get("/Users", query(q)).want(http.StatusOK)
			if len(a.object()) != 5 {
				a.fail("%d keys", len(a.object()))
			}
		}
	}},
	{"whatever Schemas lists comes back, whatever is stored is listed", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "entra"} {
			c := tenant(idp)
			listed := map[string]bool{}
			for _, urn := range []string{userURN, groupURN, enterpriseURN} {
				a := c.get("/Schemas/" + urn).want(http.StatusOK)
				for _, element := range a.list("attributes") {
					attribute, _ := element.(map[string]any)
					listed[urn+":"+text(attribute["name"])] = true
				}
			}
			for _, urn := range []string{userURN, groupURN} {
				for _, name := range []string{"id", "externalId", "meta"} {
					if !listed[urn+":"+name] {
						c.t.Errorf("%s: %s is not declared in %s", idp, name, urn)
					}
				}
			}
			if listed[userURN+":password"] == (idp == "entra") {
				c.t.Errorf("%s: password is listed: %v", idp, listed[userURN+":password"])
			}
			everyAttribute(c, listed)
		}
	}},
	{"media types of answers", func(tenant func(string) *client) {
		// The client checks that the media type of every answer fits the profile and Accept.
		c := tenant("onelogin")
		id := c.create(`"userName":"ann"`)
		c.get("/Users/"+id, header("Accept", mediaType)).want(http.StatusOK)
		c.get("/Users/none").refused(http.StatusNotFound, "")
		c = tenant("generic")
		c.get("/Users", header("Accept", "application/json")).want(http.StatusOK)
		c.get("/Users", header("Accept", "image/png")).want(http.StatusOK)
		c.get("/Users", header("Authorization", "Bearer x"), header("Accept", "application/json")).
			refused(http.StatusUnauthorized, "")
	}},
	{"ServiceProviderConfig without a token, for any tenant name", func(tenant func(string) *client) {
		c := tenant("generic")
		own := c.get("/ServiceProviderConfig", without("Authorization")).want(http.StatusOK)
		stranger := *c
		stranger.target.BaseURL = sibling(c.target.BaseURL, "nobody-has-this-name")
		other := stranger.get("/ServiceProviderConfig", without("Authorization")).want(http.StatusOK)
		if own.str("meta.location") != "" && !strings.Contains(other.str("meta.location"), "nobody-has-this-name") {
			other.fail("meta.location %q", other.str("meta.location"))
		}
		own.has("patch.supported", true)
		other.has("patch.supported", true)
		stranger.get("/ServiceProviderConfig").refused(http.StatusUnauthorized, "")
	}},
	{"an unknown tenant answers as to a bad token", func(tenant func(string) *client) {
		c := tenant("generic")
		bad := c.get("/Users", header("Authorization", "Bearer "+c.target.badToken())).
			refused(http.StatusUnauthorized, "")
		for _, name := range []string{
			"nobody-has-this-name", "x", "UPPER", "under_score", "a.b", strings.Repeat("a", 300),
		} {
			stranger := *c
			stranger.target.BaseURL = sibling(c.target.BaseURL, name)
			got := stranger.get("/Users").refused(http.StatusUnauthorized, "")
			if string(got.Body) != string(bad.Body) ||
				got.Header.Get("WWW-Authenticate") != bad.Header.Get("WWW-Authenticate") {
				got.fail("differs from the answer to a bad token: %s", clip(bad.Body))
			}
		}
	}},
	{"the order of lists is stable under renames", func(tenant func(string) *client) {
		c := tenant("generic")
		ids := c.many(7)
		before := c.get("/Users").want(http.StatusOK).column("id")
		c.patch("/Users/"+ids[2], `{"op":"replace","path":"userName","value":"zzz"}`).want(http.StatusOK)
		c.patch("/Users/"+ids[5], `{"op":"replace","path":"userName","value":"000"}`).want(http.StatusOK)
		if after := c.get("/Users").want(http.StatusOK).column("id"); !slices.Equal(before, after) ||
			!slices.IsSorted(after) {
			c.t.Errorf("the list was %q and is %q", before, after)
		}
	}},
	{"groups of a user are direct and as they are now", func(tenant func(string) *client) {
		c := tenant("generic")
		uid := c.create(`"userName":"ann"`)
		inner := c.createGroup(`"displayName":"inner","members":` + members(uid))
		c.createGroup(`"displayName":"outer","members":` + members(inner))
		a := c.get("/Users/"+uid).want(http.StatusOK).hasValues("groups", inner).has("groups[0].display", "inner").
			has("groups[0].type", "direct")
		if !strings.HasSuffix(a.str("groups[0].$ref"), "/Groups/"+inner) {
			a.fail("$ref %q", a.str("groups[0].$ref"))
		}
		c.patch("/Groups/"+inner, `{"op":"replace","path":"displayName","value":"renamed"}`).changed()
		c.get("/Users/"+uid).want(http.StatusOK).has("groups[0].display", "renamed")
	}},
	{"If-Match compares weakly, and a user's version does not cover groups", func(tenant func(string) *client) {
		c := tenant("generic")
		uid := c.create(`"userName":"ann"`)
		etag := c.etag("/Users/" + uid)
		c.createGroup(`"displayName":"g","members":` + members(uid))
		if now := c.etag("/Users/" + uid); now != etag {
			c.t.Errorf("the ETag was %s and is %s", etag, now)
		}
		c.patch("/Users/"+uid, `{"op":"add","path":"title","value":"t"}`, header("If-Match", strings.TrimPrefix(etag, "W/"))).
			want(http.StatusOK)
	}},
	{"limits are clear errors", func(tenant func(string) *client) {
		c := tenant("generic")
		long := strings.Repeat("x", 513)
		c.post("/Users", user(`"userName":"`+long+`"`)).refused(http.StatusBadRequest, "invalidValue")
		c.post("/Users", user(`"userName":"ann","externalId":"`+long+`"`)).refused(http.StatusBadRequest, "invalidValue")
		c.post("/Users", user(`"userName":"ann","emails":[{"value":"`+long+`"}]`)).
			refused(http.StatusBadRequest, "invalidValue")
		c.post("/Groups", group(`"displayName":"`+long+`"`)).refused(http.StatusBadRequest, "invalidValue")
		emails := make([]string, 41)
		for i := range emails {
			emails[i] = fmt.Sprintf(`{"value":"a%d@example.com"}`, i)
		}
		c.post("/Users", user(`"userName":"ann","emails":[`+strings.Join(emails, ",")+`]`)).
			refused(http.StatusBadRequest, "invalidValue")
		c.get("/Users").lists("userName")
		c.get("/Groups").lists("displayName")
		c.post("/Users", user(`"userName":"`+long[1:]+`","emails":[`+strings.Join(emails[1:], ",")+`]`)).
			want(http.StatusCreated)
		c.filter("/Users", `userName eq "`+long[1:]+`"`).has("totalResults", 1)
	}},
}

// sibling is a base URL with another last segment.
func sibling(base, name string) string {
	return base[:strings.LastIndexByte(base, '/')+1] + name
}

// configure changes the tenant's settings; if the target has none the test is skipped.
func (c *client) configure(settings string) {
	c.t.Helper()
	if c.target.Configure == nil {
		c.t.Skip("not run: the target has no way to change settings")
	}
	if err := c.target.Configure(settings); err != nil {
		c.t.Fatal(err)
	}
}

// everyAttribute stores a user with a value for every attribute and checks that exactly the listed attributes are
// returned.
func everyAttribute(c *client, listed map[string]bool) {
	c.t.Helper()
	uid := c.create(`"userName":"ann","externalId":"e","name":{"formatted":"A L"},"displayName":"d","nickName":"n",` +
		`"profileUrl":"https://example.com/ann",` +
		`"title":"t","userType":"u","preferredLanguage":"en","locale":"en-GB","timezone":"Europe/Berlin","active":true,` +
		`"emails":[{"value":"a@example.com"}],"phoneNumbers":[{"value":"1"}],"ims":[{"value":"i"}],` +
		`"photos":[{"value":"https://example.com/p"}],` +
		`"addresses":[{"country":"DE"}],"entitlements":[{"value":"e"}],"roles":[{"value":"r"}],` +
		`"x509Certificates":[{"value":"aGVsbG8="}],` +
		`"` + enterpriseURN + `":{"employeeNumber":"1","costCenter":"c","organization":"o","division":"v",` +
		`"department":"d","manager":{"value":"m"}}`)
	gid := c.createGroup(`"displayName":"g","externalId":"e","members":` + members(uid))
	stored := map[string]bool{}
	note := func(urn string, object any) {
		m, _ := object.(map[string]any)
		for key := range m {
			if key != "schemas" && key != enterpriseURN {
				stored[urn+":"+key] = true
			}
		}
	}
	shown := c.get("/Users/" + uid).want(http.StatusOK)
	note(userURN, shown.body)
	note(enterpriseURN, shown.at("['"+enterpriseURN+"']"))
	note(groupURN, c.get("/Groups/"+gid).want(http.StatusOK).body)
	for name := range stored {
		if !listed[name] {
			c.t.Errorf("%s is stored and not listed", name)
		}
	}
	for name := range listed {
		if !stored[name] && !strings.HasSuffix(name, ":password") && !strings.HasSuffix(name, ":schemas") {
			c.t.Errorf("%s is listed and does not come back", name)
		}
	}
}
