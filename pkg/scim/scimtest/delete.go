package scimtest

import (
	"net/http"
)

var deleteBehaviours = []behaviour{
	{"88 ETag is the version, and follows every change", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		path := "/Users/" + id
		first := c.get(path).want(http.StatusOK)
		first.has("meta.version", first.Header.Get("ETag"))
		second := c.patch(path, `{"op":"add","path":"title","value":"t"}`).want(http.StatusOK)
		second.has("meta.version", second.Header.Get("ETag")).has("meta.created", first.str("meta.created"))
		third := c.put(path, user(`"userName":"ann","title":"u"`)).want(http.StatusOK)
		seen := map[string]bool{}
		for _, a := range []*answer{first, second, third} {
			seen[a.Header.Get("ETag")] = true
		}
		if len(seen) != 3 {
			c.t.Errorf("three states have the ETags %v", seen)
		}
		c.get("/Users", params("filter", `userName eq "ann"`)).want(http.StatusOK).
			has("Resources[0].meta.version", third.Header.Get("ETag"))
		gpath := "/Groups/" + c.createGroup(`"displayName":"g"`)
		before := c.etag(gpath)
		changed := c.patch(gpath, `{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`).
			want(http.StatusOK, http.StatusNoContent)
		if after := c.etag(gpath); after == before || changed.Header.Get("ETag") != after {
			c.t.Errorf("ETag of the group was %s, PATCH said %s, GET says %s", before,
				changed.Header.Get("ETag"), after)
		}
	}},
	{"89 /Me is not offered", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, method := range []string{
			http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch,
			http.MethodDelete,
		} {
			body := ""
			if method != http.MethodGet && method != http.MethodDelete {
				body = user(`"userName":"me"`)
			}
			c.do(method, "/Me", body).refused(http.StatusNotImplemented, "")
		}
		c.get("/Users").lists("userName")
	}},
	{"90 DELETE", func(tenant func(string) *client) {
		c := tenant("generic")
		uid := c.create(`"userName":"ann","externalId":"e","emails":[{"value":"a@example.com"}]`)
		c.create(`"userName":"bob"`)
		gid := c.createGroup(`"displayName":"g"`)
		for _, path := range []string{"/Users/" + uid, "/Groups/" + gid} {
			a := c.delete(path).want(http.StatusNoContent)
			if len(a.Body) > 0 {
				a.fail("a body")
			}
			c.delete(path).refused(http.StatusNotFound, "")
			c.get(path).refused(http.StatusNotFound, "")
			c.patch(path, `{"op":"add","path":"externalId","value":"x"}`).refused(http.StatusNotFound, "")
		}
		c.put("/Users/"+uid, user(`"userName":"ann"`)).refused(http.StatusNotFound, "")
		c.get("/Users").lists("userName", "bob")
		c.get("/Groups").lists("displayName")
		for _, filter := range []string{
			`userName eq "ann"`, `externalId eq "e"`, `emails.value eq "a@example.com"`,
			`id eq ` + quote(uid), `userName sw "a"`, `userName co "ann"`,
		} {
			c.filter("/Users", filter).lists("userName")
		}
		c.filter("/Groups", `displayName eq "g"`).lists("id")
		c.delete("/Users/none").refused(http.StatusNotFound, "")
	}},
}
