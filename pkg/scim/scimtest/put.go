package scimtest

import (
	"net/http"
	"strings"
)

var putBehaviours = []behaviour{
	{"58 PUT replaces", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann","externalId":"e","title":"t","name":{"givenName":"A","familyName":"L"},` +
			`"emails":[{"value":"a@example.com"}],` +
			`"` + enterpriseURN + `":{"department":"d"}`)
		path := "/Users/" + id
		before := c.get(path).want(http.StatusOK)
		a := c.put(path, user(`"id":"other","meta":{"created":"2001-01-01T00:00:00Z","version":"W/\"99\""},`+
			`"groups":[{"value":"g"}],"userName":"ann","name":{"givenName":"B"}`)).
			want(http.StatusOK).has("id", id).has("userName", "ann").has("name.givenName", "B").
			has("meta.created", before.str("meta.created")).has("schemas", []string{userURN}).
			lacks("title", "name.familyName", "emails", "externalId", "['"+enterpriseURN+"']")
		if n := len(a.list("groups")); n != 0 {
			a.fail("groups has %d values", n)
		}
		if a.Header.Get("ETag") == before.Header.Get("ETag") {
			a.fail("the version is still %s", a.Header.Get("ETag"))
		}
		after := c.get(path).want(http.StatusOK)
		if string(after.Body) != string(a.Body) {
			after.fail("GET differs from the answer to PUT: %s", clip(a.Body))
		}
		c.filter("/Users", `externalId eq "e"`).lists("id")
		c.filter("/Users", `emails.value eq "a@example.com"`).lists("id")
		c.put("/Users/none", user(`"userName":"none"`)).refused(http.StatusNotFound, "")
		c.put("/Groups/none", group(`"displayName":"none"`)).refused(http.StatusNotFound, "")
		c.filter("/Users", `userName eq "none"`).lists("id")
		c.unchanged(path, func() { c.put(path, user(`"userName":"ann","name":{"givenName":"B"}`)).want(http.StatusOK) })
	}},
	{"59 PUT needs what is required", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann","title":"t"`)
		c.unchanged(path, func() {
			c.put(path, user(`"title":"u"`)).refused(http.StatusBadRequest, "invalidValue")
			c.put(path, user(`"userName":"","title":"u"`)).refused(http.StatusBadRequest, "invalidValue")
			c.put(path, user(`"userName":null,"title":"u"`)).refused(http.StatusBadRequest, "invalidValue")
			c.put(path, user(`"userName":"ann","active":"maybe"`)).refused(http.StatusBadRequest, "invalidValue")
		})
		gpath := "/Groups/" + c.createGroup(`"displayName":"g"`)
		c.unchanged(gpath, func() { c.put(gpath, group(`"externalId":"e"`)).refused(http.StatusBadRequest, "invalidValue") })
	}},
	{"60 an immutable attribute can't change", func(tenant func(string) *client) {
		c := tenant("generic")
		ann := c.create(`"userName":"ann"`)
		bob := c.create(`"userName":"bob"`)
		path := "/Groups/" + c.createGroup(`"displayName":"g","members":[{"value":"`+ann+`"}]`)
		c.unchanged(path, func() {
			c.patch(path, `{"op":"replace","path":"members[value eq \"`+ann+`\"].value","value":"`+bob+`"}`).
				refused(http.StatusBadRequest, "mutability")
		})
	}},
	{"61 If-Match", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		stale := c.etag(path)
		c.patch(path, `{"op":"add","path":"title","value":"1"}`, header("If-Match", stale)).want(http.StatusOK)
		current := c.etag(path)
		if stale == current {
			c.t.Fatalf("the version is still %s", stale)
		}
		c.unchanged(path, func() {
			c.patch(path, `{"op":"add","path":"title","value":"2"}`, header("If-Match", stale)).
				refused(http.StatusPreconditionFailed, "")
			c.put(path, user(`"userName":"ann"`), header("If-Match", stale)).refused(http.StatusPreconditionFailed, "")
			c.delete(path, header("If-Match", stale)).refused(http.StatusPreconditionFailed, "")
		})
		c.put(path, user(`"userName":"ann","title":"3"`), header("If-Match", current)).want(http.StatusOK)
		c.patch(path, `{"op":"add","path":"title","value":"4"}`, header("If-Match", "*")).want(http.StatusOK)
		c.patch(path, `{"op":"add","path":"title","value":"5"}`, header("If-Match", strings.TrimPrefix(c.etag(path), "W/"))).
			want(http.StatusOK)
		c.patch(path, `{"op":"add","path":"title","value":"6"}`, header("If-Match", stale+", "+c.etag(path))).
			want(http.StatusOK)
		c.patch("/Users/none", `{"op":"add","path":"title","value":"6"}`, header("If-Match", "*")).
			is(http.StatusNotFound, http.StatusPreconditionFailed)
		c.delete(path, header("If-Match", c.etag(path))).want(http.StatusNoContent)
		gpath := "/Groups/" + c.createGroup(`"displayName":"g"`)
		stale = c.etag(gpath)
		c.patch(gpath, `{"op":"add","path":"members","value":[{"value":"x"}]}`, header("If-Match", stale)).want(http.StatusOK)
		c.unchanged(gpath, func() {
			c.patch(gpath, `{"op":"remove","path":"members"}`, header("If-Match", stale)).
				refused(http.StatusPreconditionFailed, "")
			c.put(gpath, group(`"displayName":"h"`), header("If-Match", stale)).refused(http.StatusPreconditionFailed, "")
			c.delete(gpath, header("If-Match", stale)).refused(http.StatusPreconditionFailed, "")
		})
		c.delete(gpath, header("If-Match", c.etag(gpath))).want(http.StatusNoContent)
	}},
	{"62 a PUT that sends back what GET showed", func(tenant func(string) *client) {
		c := tenant("okta")
		id := c.create(`"userName":"ann@example.com","name":{"givenName":"A","familyName":"L"},"emails":[{"primary":true,` +
			`"value":"ann@example.com","type":"work"}],"active":true`)
		a := c.put("/Users/"+id, user(`"id":"`+id+
			`","userName":"ann@example.com","name":{"givenName":"Another","middleName":"Excited","familyName":"User"},`+
			`"emails":[{"primary":true,"value":"ann@example.com","type":"work","display":"ann@example.com"}],"active":true,`+
			`"groups":[],"locale":"en-US",`+
			`"meta":{"resourceType":"User"}`)).want(http.StatusOK)
		a.has("name.middleName", "Excited").has("locale", "en-US").has("active", true).
			has("emails[0].display", "ann@example.com")
		c.createGroup(`"displayName":"g","members":[{"value":"` + id + `"}]`)
		c.unchanged("/Users/"+id, func() {
			shown := c.get("/Users/" + id).want(http.StatusOK)
			c.put("/Users/"+id, string(shown.Body)).want(http.StatusOK).has("groups", map[string]any{"$len": 1})
		})
	}},
	{"63 PUT with a userName that is taken", func(tenant func(string) *client) {
		c := tenant("generic")
		c.create(`"userName":"bob"`)
		path := "/Users/" + c.create(`"userName":"ann","title":"t"`)
		c.unchanged(path, func() {
			c.put(path, user(`"userName":"BOB","title":"u"`)).refused(http.StatusConflict, "uniqueness")
		})
		c.put(path, user(`"userName":"ANN"`)).want(http.StatusOK).has("userName", "ANN")
		c.put(path, user(`"userName":"carol"`)).want(http.StatusOK).has("userName", "carol")
		c.filter("/Users", `userName eq "ann"`).lists("userName")
		c.create(`"userName":"ann"`)
		c.filter("/Users", `userName eq "carol"`).lists("userName", "carol")
	}},
}
