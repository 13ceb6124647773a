package scimtest

import (
	"net/http"
	"strings"
)

// offers skips the test, and says so, if the server's configuration does not offer a feature such as "sort".
func (c *client) offers(path string) {
	c.t.Helper()
	if a := c.get("/ServiceProviderConfig").want(http.StatusOK); a.at(path) != true {
		c.t.Skipf("ServiceProviderConfig says that %s is not supported", path)
	}
}

var rfc7644Protocol = []behaviour{
	{"an unknown query parameter is ignored", func(tenant func(string) *client) {
		c := tenant("rfc")
		name := tag()
		id := c.create(`"userName":"` + name + `"`)
		c.get("/Users/"+id, query("aadOptscim062020=&x=y&version=99")).want(http.StatusOK).has("userName", name)
		c.get("/Users", query("nonsense=1&filter="+"userName%20eq%20%22"+name+"%22")).lists("userName", name)
	}},
	{"a created resource is answered whole, with its address", func(tenant func(string) *client) {
		c := tenant("rfc")
		for path, body := range map[string]string{
			"/Users": user(`"userName":"` + tag() + `"`), "/Groups": group(`"displayName":"` + tag() + `"`),
		} {
			a := c.post(path, body).want(http.StatusCreated)
			a.has("meta.resourceType", strings.TrimSuffix(path[1:], "s")).has("meta.location", a.Header.Get("Location"))
			if got := c.get(path + "/" + a.id()).want(http.StatusOK); string(got.Body) != string(a.Body) {
				got.fail("the 201 was %s", clip(a.Body))
			}
		}
	}},
	{"null and [] clear in a PUT, what is left out too", func(tenant func(string) *client) {
		c := tenant("rfc")
		name := tag()
		full := `"userName":"` + name + `","title":"t","emails":[{"value":"a@example.com"}],"name":{"givenName":"A"}`
		path := "/Users/" + c.create(full)
		c.put(path, user(`"userName":"`+name+
			`","title":null,"emails":[],"name":{"givenName":"B"},"id":"x","meta":{"version":"y"},"groups":[{"value":"z"}]`)).
			want(http.StatusOK).lacks("title", "emails", "groups").has("name.givenName", "B").
			has("id", path[len("/Users/"):])
		c.put(path, user(full)).want(http.StatusOK)
		c.put(path, user(`"userName":"`+name+`"`)).want(http.StatusOK).lacks("title", "emails", "name")
		c.put("/Users/"+tag(), user(`"userName":"`+tag()+`"`)).refused(http.StatusNotFound, "")
	}},
	{"operations are applied in order, all or none", func(tenant func(string) *client) {
		c := tenant("rfc")
		path := "/Users/" + c.create(`"userName":"`+tag()+`","title":"first"`)
		c.patch(path, `{"op":"replace","path":"title","value":"second"},{"op":"remove","path":"title"},{"op":"add",`+
			`"path":"title","value":"third"}`).
			want(http.StatusOK, http.StatusNoContent)
		c.get(path).want(http.StatusOK).has("title", "third")
		c.unchanged(path, func() {
			c.patch(path, `{"op":"replace","path":"title","value":"fourth"},{"op":"replace","path":"id","value":"x"}`).
				refused(http.StatusBadRequest, "mutability")
			c.patch(path, `{"op":"replace","path":"title","value":"fourth"},{"op":"remove"}`).
				refused(http.StatusBadRequest, "noTarget")
			c.patch(path, `{"op":"replace","path":"title","value":"fourth"},{"op":"remove","path":"userName"}`).
				refused(http.StatusBadRequest, "mutability")
		})
	}},
	{"the form of a PATCH", func(tenant func(string) *client) {
		c := tenant("rfc")
		path := "/Users/" + c.create(`"userName":"`+tag()+`","title":"t"`)
		c.unchanged(path, func() {
			for _, body := range []string{
				`{"Operations":[{"op":"add","path":"title","value":"u"}]}`,
				`{"schemas":[],"Operations":[{"op":"add","path":"title","value":"u"}]}`,
				`{"schemas":["` + patchURN + `"]}`, `{"schemas":["` + patchURN + `"],"Operations":[]}`,
				patchOp(`{"path":"title","value":"u"}`),
				patchOp(`{"op":"move","path":"title","value":"u"}`), patchOp(`{"op":"add","path":"title"}`),
				patchOp(`{"op":["add"],"path":"title","value":"u"}`),
			} {
				c.do(http.MethodPatch, path, body).refused(http.StatusBadRequest, "")
			}
			c.patch(path, `{"op":"add","path":"title[","value":"u"}`).is(http.StatusBadRequest)
			c.patch(path, `{"op":"add","path":"no.such.path","value":"u"}`).refused(http.StatusBadRequest, "invalidPath")
		})
		c.patch(path, `{"op":"replace","path":"title","value":"v"}`, params("attributes", "title")).want(http.StatusOK).
			has("title", "v").lacks("userName")
	}},
	{"add and replace of a complex attribute", func(tenant func(string) *client) {
		c := tenant("rfc")
		path := "/Users/" + c.create(`"userName":"`+tag()+`"`)
		c.patch(path, `{"op":"add","path":"name","value":{"givenName":"A","familyName":"L"}}`).
			want(http.StatusOK, http.StatusNoContent)
		c.patch(path, `{"op":"replace","path":"name","value":{"givenName":"B"}}`).want(http.StatusOK, http.StatusNoContent)
		c.get(path).want(http.StatusOK).has("name.givenName", "B").has("name.familyName", "L")
		c.patch(path, `{"op":"replace","path":"nickName","value":"was not there"}`).want(http.StatusOK, http.StatusNoContent)
		c.patch(path, `{"op":"replace","value":{"title":"t","displayName":"d"}}`).want(http.StatusOK, http.StatusNoContent)
		c.get(path).want(http.StatusOK).has("nickName", "was not there").has("title", "t").has("displayName", "d")
	}},
	{"replace by a value filter changes every match, or is a noTarget", func(tenant func(string) *client) {
		c := tenant("rfc")
		path := "/Users/" + c.create(`"userName":"`+tag()+
			`","emails":[{"value":"a@example.com","type":"work"},{"value":"b@example.com","type":"work"},`+
			`{"value":"c@example.com","type":"home"}]`)
		c.patch(path, `{"op":"replace","path":"emails[type eq \"work\"].display","value":"at work"}`).
			want(http.StatusOK, http.StatusNoContent)
		c.get(path).want(http.StatusOK).has("emails[?value=a@example.com].display", "at work").
			has("emails[?value=b@example.com].display", "at work").
			lacks("emails[?value=c@example.com].display")
		c.unchanged(path, func() {
			c.patch(path, `{"op":"replace","path":"emails[type eq \"other\"].value","value":"d@example.com"}`).
				refused(http.StatusBadRequest, "noTarget")
		})
		c.patch(path, `{"op":"remove","path":"emails[type eq \"work\"]"}`).want(http.StatusOK, http.StatusNoContent)
		c.get(path).want(http.StatusOK).hasValues("emails", "c@example.com")
		c.patch(path, `{"op":"remove","path":"emails[value sw \"c\"]"}`).want(http.StatusOK, http.StatusNoContent)
		c.get(path).want(http.StatusOK).lacks("emails")
	}},
	{"adding what is there changes nothing", func(tenant func(string) *client) {
		c := tenant("rfc")
		path := "/Users/" + c.create(`"userName":"`+tag()+`","title":"t","emails":[{"value":"a@example.com","type":"work"}]`)
		c.unchanged(path, func() {
			c.patch(path, `{"op":"add","path":"title","value":"t"}`).want(http.StatusOK, http.StatusNoContent)
			c.patch(path, `{"op":"add","path":"emails","value":[{"value":"a@example.com","type":"work"}]}`).
				want(http.StatusOK, http.StatusNoContent)
		})
	}},
	{"what is deleted is gone", func(tenant func(string) *client) {
		c := tenant("rfc")
		name := tag()
		path := "/Users/" + c.create(`"userName":"`+name+`"`)
		c.delete(path).want(http.StatusNoContent)
		c.get(path).refused(http.StatusNotFound, "")
		c.put(path, user(`"userName":"`+name+`"`)).refused(http.StatusNotFound, "")
		c.patch(path, `{"op":"add","path":"title","value":"t"}`).refused(http.StatusNotFound, "")
		c.delete(path).refused(http.StatusNotFound, "")
		c.filter("/Users", `userName eq "`+name+`"`).lists("userName")
		c.create(`"userName":"` + name + `"`)
	}},
	{"a conflict is a 409", func(tenant func(string) *client) {
		c := tenant("rfc")
		name := tag()
		c.create(`"userName":"` + name + `"`)
		path := "/Users/" + c.create(`"userName":"`+name+`-2"`)
		c.post("/Users", user(`"userName":"`+strings.ToUpper(name)+`"`)).refused(http.StatusConflict, "uniqueness")
		c.put(path, user(`"userName":"`+name+`"`)).refused(http.StatusConflict, "uniqueness")
		c.patch(path, `{"op":"replace","path":"userName","value":"`+name+`"}`).refused(http.StatusConflict, "uniqueness")
	}},
	{"the version is a header and a part of meta, and guards writes", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("etag.supported")
		name := tag()
		path := "/Users/" + c.create(`"userName":"`+name+`"`)
		old := c.etag(path)
		c.get(path).want(http.StatusOK).has("meta.version", old)
		c.get(path, params("attributes", "userName"), header("If-None-Match", old)).want(http.StatusNotModified)
		c.patch(path, `{"op":"add","path":"title","value":"t"}`, header("If-Match", old)).
			want(http.StatusOK, http.StatusNoContent)
		c.unchanged(path, func() {
			c.put(path, user(`"userName":"`+name+`"`), header("If-Match", old)).refused(http.StatusPreconditionFailed, "")
			c.patch(path, `{"op":"remove","path":"title"}`, header("If-Match", old)).refused(http.StatusPreconditionFailed, "")
			c.delete(path, header("If-Match", old)).refused(http.StatusPreconditionFailed, "")
		})
		if got := c.get(path).want(http.StatusOK); got.Header.Get("ETag") == old {
			got.fail("the ETag is that before the change")
		}
		// has an ETag, too; the client itself checks that
		c.get(path, params("attributes", "userName")).want(http.StatusOK)
		c.get(path, header("If-None-Match", old)).want(http.StatusOK)
	}},
	{"a token has enough entropy", func(tenant func(string) *client) {
		c := tenant("rfc")
		if len(c.target.Token) < 32 {
			c.t.Errorf("a token of %d characters", len(c.target.Token))
		}
		c.get("/Users", header("Authorization", "Bearer "+c.target.Token[:len(c.target.Token)-2]+"AA")).
			refused(http.StatusUnauthorized, "")
	}},
}
