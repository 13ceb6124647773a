package scimtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// bulkOps sends a bulk request of operations, each a JSON object.
func bulkOps(c *client, operations ...string) *answer {
	c.t.Helper()
	return c.post("/Bulk", `{"schemas":["`+messagePrefix+`2.0:BulkRequest"],"Operations":[`+strings.Join(operations, ",")+
		`]}`)
}

// bulkStatuses checks the statuses of the results, in the order of the request.
func bulkStatuses(a *answer, status ...string) *answer {
	a.t.Helper()
	a.want(http.StatusOK)
	var got []string
	for _, e := range a.list("Operations") {
		o, _ := e.(map[string]any)
		got = append(got, text(o["status"]))
	}
	if !slices.Equal(got, status) {
		a.fail("statuses %q, want %q", got, status)
		a.t.FailNow()
	}
	return a
}

func bulkID(a *answer, i int) string {
	a.t.Helper()
	location := a.str(fmt.Sprintf("Operations[%d].location", i))
	return location[strings.LastIndex(location, "/")+1:]
}

func bulkOp(method, path, data string) string {
	if data != "" {
		data = `,"data":` + data
	}
	return `{"method":"` + method + `","path":"` + path + `"` + data + `}`
}

func bulkCreate(path, id, data string) string {
	return `{"method":"POST","path":"` + path + `","bulkId":"` + id + `","data":` + data + `}`
}

var bulkBehaviours = []behaviour{
	{"87 one result per operation", func(tenant func(string) *client) {
		c := tenant("generic")
		id, gone := c.create(`"userName":"old"`), c.create(`"userName":"gone"`)
		a := bulkStatuses(bulkOps(c,
			bulkCreate("/Users", "one", user(`"userName":"new","password":"s3cret!pass"`)),
			bulkOp("PUT", "/Users/"+id, user(`"userName":"old","title":"put"`)),
			bulkOp("PATCH", "/Users/"+id, patchOp(`{"op":"add","path":"nickName","value":"patched"}`)),
			bulkOp("DELETE", "/Users/"+gone, ""),
			bulkOp("DELETE", "/Users/nobody", ""),
		), "201", "200", "200", "204", "404")
		for i, method := range []string{"POST", "PUT", "PATCH", "DELETE", "DELETE"} {
			a.has(fmt.Sprintf("Operations[%d].method", i), method).
				has(fmt.Sprintf("Operations[%d].location", i), exists)
		}
		a.has("Operations[0].bulkId", "one").lacks("Operations[0].response", "Operations[1].bulkId")
		a.has("Operations[4].response.status", "404").has("Operations[4].response.detail", exists)
		c.get("/Users/"+bulkID(a, 0)).want(http.StatusOK).has("userName", "new").
			has("meta.version", a.str("Operations[0].version")).
			has("meta.location", a.str("Operations[0].location"))
		c.get("/Users/"+id).want(http.StatusOK).has("title", "put").has("nickName", "patched").
			has("meta.version", a.str("Operations[2].version"))
		c.get("/Users/"+gone).refused(http.StatusNotFound, "")
	}},
	{"87 references forward, backward and in circles", func(tenant func(string) *client) {
		c := tenant("generic")
		a := bulkStatuses(bulkOps(c,
			bulkCreate("/Groups", "a", group(
				`"displayName":"a","members":[{"value":"bulkId:b","type":"Group"},{"value":"bulkId:u"}]`)),
			bulkCreate("/Groups", "b", group(`"displayName":"b","members":[{"value":"bulkId:a","$ref":"/Groups/bulkId:a"}]`)),
			bulkOp("PATCH", "/Users/bulkId:u", patchOp(`{"op":"add","path":"title","value":"t"}`)),
			bulkCreate("/Users", "u", user(`"userName":"u","`+enterpriseURN+`":{"manager":{"value":"bulkId:v"}}`)),
			bulkCreate("/Users", "v", user(`"userName":"v","`+enterpriseURN+`":{"manager":{"value":"bulkId:u"}}`)),
			bulkCreate("/Groups", "self", group(`"displayName":"self","members":[{"value":"bulkId:self"}]`)),
			bulkOp("PATCH", "/Groups/bulkId:a", patchOp(`{"op":"remove","path":"members[value eq \"bulkId:u\"]"}`)),
			bulkOp("PATCH", "/Groups/bulkId:b", patchOp(`{"op":"add","path":"members","value":[{"value":"bulkId:v"}]}`)),
		), "201", "201", "200", "201", "201", "201", "200", "200")
		c.get("/Groups/"+bulkID(a, 0)).want(http.StatusOK).hasValues("members", bulkID(a, 1)).
			has("members[0].type", "Group")
		c.get("/Groups/"+bulkID(a, 1)).want(http.StatusOK).hasValues("members", bulkID(a, 0), bulkID(a, 4))
		c.get("/Groups/"+bulkID(a, 5)).want(http.StatusOK).hasValues("members", bulkID(a, 5))
		c.get("/Users/"+bulkID(a, 3)).want(http.StatusOK).has("title", "t").
			has("['"+enterpriseURN+"'].manager.value", bulkID(a, 4))
		c.get("/Users/"+bulkID(a, 4)).want(http.StatusOK).has("['"+enterpriseURN+"'].manager.value", bulkID(a, 3))
	}},
	{"87 what can't be referred to", func(tenant func(string) *client) {
		c := tenant("generic")
		c.create(`"userName":"taken"`)
		a := bulkStatuses(bulkOps(c,
			bulkCreate("/Users", "x", user(`"userName":"taken"`)),
			bulkCreate("/Groups", "g", group(`"displayName":"refers to what failed","members":[{"value":"bulkId:x"}]`)),
			bulkCreate("/Groups", "h", group(`"displayName":"refers to nothing","members":[{"value":"bulkId:nothing"}]`)),
			bulkOp("DELETE", "/Users/bulkId:x", ""),
			bulkCreate("/Groups", "m", group(`"displayName":"in a circle","members":[{"value":"bulkId:n"}]`)),
			bulkCreate("/Groups", "n", group(`"members":[{"value":"bulkId:m"}]`)),
			bulkCreate("/Users", "y", user(`"userName":"fine"`)),
		), "409", "409", "400", "409", "409", "400", "201")
		a.has("Operations[0].response.scimType", "uniqueness").lacks("Operations[0].location", "Operations[1].location")
		c.get("/Groups").lists("displayName")
		c.get("/Users").lists("userName", "taken", "fine")
	}},
	{"87 failOnErrors", func(tenant func(string) *client) {
		c := tenant("generic")
		var ops []string
		for i, name := range []string{"a", "a", "b", "b", "c"} {
			ops = append(ops, bulkCreate("/Users", fmt.Sprint(i), user(`"userName":"`+name+`"`)))
		}
		send := func(n string) *answer {
			return c.post("/Bulk", `{"schemas":["`+messagePrefix+`2.0:BulkRequest"],"failOnErrors":`+n+`,"Operations":[`+
				strings.Join(ops, ",")+`]}`)
		}
		bulkStatuses(send("1"), "201", "409")
		c.get("/Users").lists("userName", "a")
		for _, n := range []string{`"many"`, "-1", "1.5", "true"} {
			send(n).refused(http.StatusBadRequest, "invalidValue")
		}
		c = tenant("generic")
		bulkStatuses(send("2"), "201", "409", "201", "409")
		c.get("/Users").lists("userName", "a", "b")
		c = tenant("generic")
		bulkStatuses(send("3"), "201", "409", "201", "409", "201")
	}},
	{"87 what is no bulk request", func(tenant func(string) *client) {
		c := tenant("generic")
		op := bulkCreate("/Users", "a", user(`"userName":"ann"`))
		for _, body := range []string{
			`{"Operations":[` + op + `]}`, `{"schemas":["` + patchURN + `"],"Operations":[` + op + `]}`,
			`{"schemas":[],"Operations":[` + op + `]}`,
			`{"schemas":["` + messagePrefix + `2.0:BulkRequest"]}`,
			`{"schemas":["` + messagePrefix + `2.0:BulkRequest"],"Operations":{}}`,
			`{"schemas":["` + messagePrefix + `2.0:BulkRequest"],"Operations":[]}`, `[` + op + `]`, `{`,
		} {
			c.post("/Bulk", body).refused(http.StatusBadRequest, "invalidSyntax")
		}
		c.get("/Bulk").refused(http.StatusMethodNotAllowed, "")
		c.get("/Users").lists("userName")
	}},
	{"87 what is no operation", func(tenant func(string) *client) {
		c := tenant("generic")
		good := user(`"userName":"fine"`)
		broken := []string{
			`{"method":"POST","path":"/Users","data":` + good + `}`, `{"method":"POST","path":"/Users","bulkId":"","data":` +
				good + `}`,
			bulkOp("GET", "/Users/x", ""), bulkOp("POST", "/Nothing", good), bulkCreate("/Users/x", "b", good),
			bulkOp("DELETE", "/Users", ""), bulkOp("DELETE", "/Users/", ""), bulkOp("DELETE", "/Users/a/b", ""),
			bulkOp("DELETE", "/Bulk", ""),
			bulkOp("PUT", "/Users/x", ""), bulkCreate("/Users", "c", `[]`), bulkCreate("/Users", "d", `"{"`),
			bulkOp("PATCH", "/Users/x", `{}`),
			`{"method":"POST","path":2,"bulkId":3,"data":4}`, bulkCreate("/Users", "twice", good),
			bulkCreate("/Groups", "twice", good),
		}
		var want []string
		for range broken {
			want = append(want, "400")
		}
		want[len(want)-2] = "201"
		a := bulkStatuses(bulkOps(c, broken...), want...)
		for i := range broken {
			if want[i] == "400" {
				a.has(fmt.Sprintf("Operations[%d].response.status", i), "400")
			}
		}
		a.has("Operations[2].response.scimType", "invalidValue").has("Operations[0].response.scimType", "invalidSyntax")
		c.get("/Users").lists("userName", "fine")
	}},
	{"87 limits", func(tenant func(string) *client) {
		c := tenant("generic")
		config := c.get("/ServiceProviderConfig").want(http.StatusOK).has("bulk.supported", true)
		operations, _ := config.at("bulk.maxOperations").(float64)
		op := bulkOp("DELETE", "/Users/nobody", "")
		many := make([]string, int(operations)+1)
		for i := range many {
			many[i] = op
		}
		a := bulkOps(c, many...).refused(http.StatusRequestEntityTooLarge, "")
		if !strings.Contains(a.str("detail"), fmt.Sprintf("maxOperations (%d)", int(operations))) {
			a.fail("the limit is not named")
		}
		payload, _ := config.at("bulk.maxPayloadSize").(float64)
		a = bulkOps(c, bulkCreate("/Users", "a", user(`"userName":"ann","title":"`+strings.Repeat("x", int(payload))+`"`))).
			refused(http.StatusRequestEntityTooLarge, "")
		if !strings.Contains(a.str("detail"), fmt.Sprintf("maxPayloadSize (%d)", int(payload))) {
			a.fail("the limit is not named")
		}
		if got := len(bulkOps(c, many[1:]...).want(http.StatusOK).list("Operations")); got != int(operations) {
			c.t.Errorf("%d results of %d operations", got, int(operations))
		}
	}},
	{"87 versions, names in any case, data of other shapes", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		tag := c.etag("/Users/" + id)
		versioned := func(version, title string) string {
			return `{"METHOD":"patch","Path":"Users/` + id + `","VERSION":` + quote(version) +
				`,"DATA":[{"op":"add","path":"title","value":"` + title + `"}]}`
		}
		bulkStatuses(bulkOps(c, versioned(tag, "a"), versioned(tag, "b")), "200", "412")
		c.get("/Users/"+id).want(http.StatusOK).has("title", "a")
		bulkStatuses(bulkOps(c,
			bulkOp("PUT", c.target.BaseURL+"/users/"+id, quote(user(`"userName":"ann","title":"c"`))),
			bulkOp("DELETE", "/Users/"+id, ""),
		), "200", "204")
		c.get("/Users/"+id).refused(http.StatusNotFound, "")
	}},
	{"87 a repeated request does nothing twice", func(tenant func(string) *client) {
		c := tenant("generic")
		ops := []string{
			bulkCreate("/Users", "u", user(`"userName":"ann"`)),
			bulkCreate("/Groups", "g", group(`"displayName":"g","members":[{"value":"bulkId:u"}]`)),
		}
		first := bulkStatuses(bulkOps(c, ops...), "201", "201")
		again := bulkStatuses(bulkOps(c, ops...), "201", "201")
		for i := range ops {
			again.has(fmt.Sprintf("Operations[%d].location", i), first.str(fmt.Sprintf("Operations[%d].location", i)))
		}
		c.get("/Groups").lists("displayName", "g")
		// A resource that was changed since is created again, under another id, and so is one that refers to it.
		c.patch("/Users/"+bulkID(first, 0), `{"op":"replace","path":"userName","value":"bob"}`).want(http.StatusOK)
		third := bulkStatuses(bulkOps(c, ops...), "201", "201")
		c.get("/Users/"+bulkID(third, 0)).want(http.StatusOK).has("userName", "ann")
		c.delete("/Users/" + bulkID(third, 0)).want(http.StatusNoContent)
		fourth := bulkStatuses(bulkOps(c, ops...), "201", "201")
		for i := range ops {
			if bulkID(third, i) == bulkID(first, i) || bulkID(fourth, i) == bulkID(third, i) {
				fourth.fail("ids were %s and %s", bulkID(first, i), bulkID(third, i))
			}
		}
		c.get("/Groups").lists("displayName", "g", "g", "g")
		c.get("/Groups/"+bulkID(fourth, 1)).want(http.StatusOK).has("members[0].value", bulkID(fourth, 0))
		// Another request is another request.
		bulkStatuses(bulkOps(c, bulkCreate("/Users", "x", user(`"userName":"ann"`))), "409")
	}},
}
