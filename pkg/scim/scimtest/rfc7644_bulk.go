package scimtest

import (
	"fmt"
	"net/http"
	"strings"
)

// bulk sends a BulkRequest of the given operations; more holds further members of the message, each followed by a
// comma.
func (c *client) bulk(more, operations string) *answer {
	c.t.Helper()
	return c.post("/Bulk", `{"schemas":["`+bulkRequestURN+`"],`+more+`"Operations":[`+operations+`]}`)
}

func bulkPost(path, id, data string) string {
	return `{"method":"POST","path":"` + path + `","bulkId":"` + id + `","data":` + data + `}`
}

// results checks the statuses of a bulk response, in the order of the request.
func (a *answer) results(status ...string) *answer {
	a.t.Helper()
	a.want(http.StatusOK).has("Operations", map[string]any{"$len": len(status)})
	for i, want := range status {
		a.has(fmt.Sprintf("Operations[%d].status", i), want)
	}
	return a
}

// made is the id of the resource that an operation has created, by the location in its result.
func (a *answer) made(i int) string {
	a.t.Helper()
	location := a.str(fmt.Sprintf("Operations[%d].location", i))
	return location[strings.LastIndex(location, "/")+1:]
}

var rfc7644Bulk = []behaviour{
	{"every operation has its result", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("bulk.supported")
		mark := tag()
		id := c.create(`"userName":"` + mark + `"`)
		gone := c.create(`"userName":"` + mark + `-gone"`)
		a := c.bulk("", strings.Join([]string{
			bulkPost("/Users", "one", user(`"userName":"`+mark+`-1"`)),
			`{"method":"PUT","path":"/Users/` + id + `","data":` + user(`"userName":"`+mark+`","title":"put"`) + `}`,
			`{"method":"PATCH","path":"/Users/` + id + `","data":` +
				patchOp(`{"op":"add","path":"nickName","value":"patched"}`) + `}`,
			`{"method":"DELETE","path":"/Users/` + gone + `"}`,
		}, ",")).want(http.StatusOK).has("schemas", []string{bulkResponseURN}).
			has("Operations", map[string]any{"$len": 4})
		a.has("Operations[0].status", "201").has("Operations[0].bulkId", "one").has("Operations[0].method", "POST").
			has("Operations[3].status", "204")
		c.get("/Users/"+a.made(0)).want(http.StatusOK).has("userName", mark+"-1").
			has("meta.location", a.str("Operations[0].location")).
			has("meta.version", a.str("Operations[0].version"))
		c.get("/Users/"+id).want(http.StatusOK).has("title", "put").has("nickName", "patched")
		c.get("/Users/"+gone).refused(http.StatusNotFound, "")
	}},
	{"a failed operation does not stop the others", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("bulk.supported")
		mark := tag()
		a := c.bulk("", strings.Join([]string{
			bulkPost("/Users", "a", user(`"userName":"`+mark+`"`)), bulkPost("/Users", "b", user(`"userName":"`+mark+`"`)),
			bulkPost("/Users", "c", user(`"displayName":"no name"`)), bulkPost("/Users", "d", user(`"userName":"`+mark+`-d"`)),
			`{"method":"DELETE","path":"/Users/` + mark + `"}`,
		}, ",")).results("201", "409", "400", "201", "404")
		a.has("Operations[1].response.scimType", "uniqueness").has("Operations[1].response.status", "409").
			has("Operations[1].response.detail", exists).
			has("Operations[1].bulkId", "b").lacks("Operations[1].location")
		c.filter("/Users", `userName sw "`+mark+`"`).lists("userName", mark, mark+"-d")
	}},
	{"failOnErrors stops", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("bulk.supported")
		mark := tag()
		a := c.bulk(`"failOnErrors":1,`, strings.Join([]string{
			bulkPost("/Users", "a", user(`"userName":"`+mark+`"`)), bulkPost("/Users", "b", user(`"userName":"`+mark+`"`)),
			bulkPost("/Users", "c", user(`"userName":"`+mark+`-c"`)),
		}, ",")).want(http.StatusOK)
		if n := len(a.list("Operations")); n != 2 {
			a.fail("%d results, want those up to the error", n)
		}
		c.filter("/Users", `userName eq "`+mark+`-c"`).lists("userName")
	}},
	{"references forward, backward and in circles", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("bulk.supported")
		mark := tag()
		member := func(id string) string { return `,"members":[{"value":"bulkId:` + id + `"}]` }
		a := c.bulk("", strings.Join([]string{
			bulkPost("/Groups", "a", group(`"displayName":"`+mark+`-a"`+member("b"))),
			bulkPost("/Groups", "b", group(`"displayName":"`+mark+`-b"`+member("a"))),
			bulkPost("/Groups", "c", group(`"displayName":"`+mark+`-c"`+member("u"))),
			bulkPost("/Users", "u", user(`"userName":"`+mark+`-u","`+enterpriseURN+`":{"manager":{"value":"bulkId:boss"}}`)),
			bulkPost("/Users", "boss", user(`"userName":"`+mark+`-boss"`)),
			bulkPost("/Groups", "d", group(`"displayName":"`+mark+`-d"`+member("boss"))),
		}, ",")).results("201", "201", "201", "201", "201", "201")
		c.get("/Groups/"+a.made(0)).want(http.StatusOK).hasValues("members", a.made(1))
		c.get("/Groups/"+a.made(1)).want(http.StatusOK).hasValues("members", a.made(0))
		c.get("/Groups/"+a.made(2)).want(http.StatusOK).hasValues("members", a.made(3))
		c.get("/Groups/"+a.made(5)).want(http.StatusOK).hasValues("members", a.made(4))
		c.get("/Users/"+a.made(3)).want(http.StatusOK).has("['"+enterpriseURN+"'].manager.value", a.made(4))
	}},
	{"a reference in a path", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("bulk.supported")
		mark := tag()
		a := c.bulk("", bulkPost("/Users", "u", user(`"userName":"`+mark+`"`))+
			`,{"method":"PATCH","path":"/Users/bulkId:u","data":`+patchOp(`{"op":"add","path":"title","value":"t"}`)+`}`).
			want(http.StatusOK)
		c.get("/Users/"+a.made(0)).want(http.StatusOK).has("title", "t")
	}},
	{"a version guards an operation", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("bulk.supported")
		c.offers("etag.supported")
		name := tag()
		path := "/Users/" + c.create(`"userName":"`+name+`"`)
		old := c.etag(path)
		c.patch(path, `{"op":"add","path":"title","value":"t"}`).want(http.StatusOK, http.StatusNoContent)
		change := func(version string) string {
			return `{"method":"PUT","path":"` + path + `","version":` + quote(version) + `,"data":` +
				user(`"userName":"`+name+`","title":"u"`) + `}`
		}
		c.bulk("", change(old)).results("412")
		c.bulk("", change(c.etag(path))).results("200")
		c.get(path).want(http.StatusOK).has("title", "u")
	}},
	{"limits are known, and 413 beyond", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("bulk.supported")
		a := c.get("/ServiceProviderConfig").want(http.StatusOK)
		operations, _ := a.at("bulk.maxOperations").(float64)
		payload, _ := a.at("bulk.maxPayloadSize").(float64)
		if operations < 1 || payload < 1 {
			a.fail("limits of bulk requests: %v operations, %v bytes", operations, payload)
			return
		}
		mark := tag()
		one := `{"method":"DELETE","path":"/Users/` + mark + `"}`
		tooMany := c.bulk("", one+strings.Repeat(","+one, int(operations))).
			refused(http.StatusRequestEntityTooLarge, "")
		if !strings.Contains(tooMany.str("detail"), fmt.Sprint(int(operations))) {
			tooMany.fail("the detail does not name the limit %d", int(operations))
		}
		tooLarge := c.bulk("", bulkPost("/Users", "a", user(`"userName":"`+mark+`","title":"`+
			strings.Repeat("x", int(payload))+`"`))).
			refused(http.StatusRequestEntityTooLarge, "")
		if !strings.Contains(tooLarge.str("detail"), fmt.Sprint(int(payload))) {
			tooLarge.fail("the detail does not name the limit %d", int(payload))
		}
		c.filter("/Users", `userName eq "`+mark+`"`).lists("userName")
	}},
	{"what is no bulk request is refused", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("bulk.supported")
		for _, body := range []string{
			`{"Operations":[]}`, `{"schemas":["` + bulkRequestURN + `"]}`, `{"schemas":["` + patchURN + `"],"Operations":[]}`,
			`{"schemas":["` + bulkRequestURN + `"],"Operations":{}}`,
			`{"schemas":["` + bulkRequestURN + `"],"failOnErrors":"x","Operations":[]}`,
		} {
			c.post("/Bulk", body).refused(http.StatusBadRequest, "")
		}
		mark := tag()
		// A POST needs a bulkId, and each operation a method that there is, a path, and data unless it deletes.
		for _, operation := range []string{
			`{"method":"POST","path":"/Users","data":` + user(`"userName":"`+mark+`"`) + `}`, `{"method":"GET","path":"/Users"}`,
			`{"path":"/Users/x"}`,
			`{"method":"DELETE"}`, `{"method":"POST","path":"/Users","bulkId":"x"}`, `{"method":"PUT","path":"/Users/x"}`,
			`{"method":"POST","bulkId":"x","data":` + user(`"userName":"`+mark+`"`) + `}`,
		} {
			a := c.bulk("", operation)
			if a.is(http.StatusOK, http.StatusBadRequest) && a.Status == http.StatusOK {
				a.results("400")
			}
		}
		c.filter("/Users", `userName eq "`+mark+`"`).lists("userName")
	}},
}
