package scimtest

import "net/http"

var preferBehaviours = []behaviour{
	{"return=minimal asks for no body", func(tenant func(string) *client) {
		c := tenant("generic")
		least := header("Prefer", "return=minimal")
		a := c.post("/Users", user(`"userName":"ann"`), least).want(http.StatusCreated)
		if len(a.Body) > 0 || a.Header.Get("Location") == "" || a.Header.Get("Preference-Applied") != "return=minimal" {
			a.fail("headers %v", a.Header)
		}
		path := "/Users/" + c.filter("/Users", `userName eq "ann"`).column("id")[0]
		c.put(path, user(`"userName":"ann","title":"a"`), least).want(http.StatusNoContent)
		c.patch(path, `{"op":"add","path":"nickName","value":"b"}`, least).want(http.StatusNoContent)
		c.get(path, least).want(http.StatusOK).has("title", "a").has("nickName", "b")
		c.do(http.MethodPatch, path, patchOp(`{"op":"add","path":"title","value":"c"}`), least, query("attributes=title")).
			want(http.StatusOK).has("title", "c").lacks("userName")
	}},
	{"return=representation asks for the whole", func(tenant func(string) *client) {
		c := tenant("okta")
		id := c.createGroup(`"displayName":"g","members":[{"value":"someone"}]`)
		c.patch("/Groups/"+id, `{"op":"replace","path":"displayName","value":"h"}`,
			header("Prefer", "return=representation")).
			want(http.StatusOK).has("displayName", "h").hasValues("members", "someone")
	}},
	{"preconditions on every method", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		tag := c.etag(path)
		c.get(path, header("If-None-Match", tag)).want(http.StatusNotModified)
		c.get(path, header("If-Match", `W/"other"`)).refused(http.StatusPreconditionFailed, "")
		c.patch(path, `{"op":"add","path":"title","value":"a"}`, header("If-None-Match", tag)).
			refused(http.StatusPreconditionFailed, "")
		c.put(path, user(`"userName":"bob"`), header("If-None-Match", "*")).refused(http.StatusPreconditionFailed, "")
		c.delete(path, header("If-None-Match", "*")).refused(http.StatusPreconditionFailed, "")
		c.get(path).want(http.StatusOK).has("userName", "ann").lacks("title")
		c.patch(path, `{"op":"add","path":"title","value":"a"}`, header("If-None-Match", `W/"other"`)).want(http.StatusOK)
		for _, kept := range []string{"/ServiceProviderConfig", "/Schemas", "/ResourceTypes"} {
			tag := c.get(kept).want(http.StatusOK).Header.Get("ETag")
			c.get(kept, header("If-None-Match", tag)).want(http.StatusNotModified)
		}
	}},
	{"answers are compressed for those who take it", func(tenant func(string) *client) {
		c := tenant("generic")
		plain := c.get("/Schemas", header("Accept-Encoding", "identity")).want(http.StatusOK)
		zipped := c.get("/Schemas", header("Accept-Encoding", "gzip")).want(http.StatusOK)
		if string(plain.Body) != string(zipped.Body) || zipped.Header.Get("Content-Encoding") != "gzip" ||
			plain.Header.Get("Content-Encoding") != "" {
			zipped.fail("headers %v", zipped.Header)
		}
	}},
}
