package scimtest

import (
	"net/http"
	"testing"
)

// The extension that the tests of extensions define: attributes that Entra's editor calls urn:...:User:badge and the
// like.
const extensionURN = "urn:ietf:params:scim:schemas:extension:scimtest:2.0:User"

const extensionAttributes = `{"attributes":[
	{"name":"badge","required":true,"uniqueness":"server"},
	{"name":"colour","canonicalValues":["red","green"]},
	{"name":"level","type":"integer"},
	{"name":"since","type":"dateTime","mutability":"immutable"},
	{"name":"pin","mutability":"writeOnly","returned":"never"},
	{"name":"note","returned":"request"},
	{"name":"answers","multiValued":true,"returned":"never"},
	{"name":"keys","type":"complex","multiValued":true,"subAttributes":[{"name":"type"},{"name":"code","mutability":"writeOnly"}]},
	{"name":"serial","mutability":"immutable","returned":"never"},
	{"name":"seal","type":"complex","mutability":"immutable","subAttributes":[{"name":"id"},{"name":"code","returned":"never"}]},
	{"name":"lock","type":"complex","subAttributes":[{"name":"id"},{"name":"code","mutability":"immutable","returned":"never"}]},
	{"name":"safe","type":"complex","subAttributes":[{"name":"room"},{"name":"code","mutability":"writeOnly"}]},
	{"name":"rooms","multiValued":true}]}`

// RunExtensions runs one subtest for each behaviour of a server whose operator has defined an extension that every
// user needs (RFC 7643, sections 3.3, 6 and 7). newTarget makes a fresh, empty tenant; if its targets have no
// Define nothing is run.
func RunExtensions(t *testing.T, newTarget func(t *testing.T, idp string) Target) {
	t.Helper()
	for _, b := range extensionBehaviours {
		t.Run(b.name, func(t *testing.T) {
			b.run(func(idp string) *client {
				c := newClient(t, newTarget, idp)
				if c.target.Define == nil {
					t.Skip("not run: the target has no way to define schemas")
				}
				c.define("/schemas/"+extensionURN, extensionAttributes)
				c.define("/resource-types/User", `{"schemaExtensions":[{"schema":"`+extensionURN+`","required":true}]}`)
				return c
			})
		})
	}
}

func (c *client) define(path, body string) {
	c.t.Helper()
	if err := c.target.Define(path, body); err != nil {
		c.t.Fatal(err)
	}
}

// badged is a user with values in the extension.
func badged(name, values string) string {
	return `{"schemas":["` + userURN + `","` + extensionURN + `"],"userName":"` + name + `","` + extensionURN + `":` +
		values + `}`
}

func inExtension(attribute string) string { return "['" + extensionURN + "']." + attribute }

var extensionBehaviours = []behaviour{
	{"a required extension is shown", func(tenant func(string) *client) {
		c := tenant("generic")
		c.get("/Schemas/"+extensionURN).want(http.StatusOK).has("id", extensionURN)
		a := c.get("/ResourceTypes/User").want(http.StatusOK)
		for _, e := range a.list("schemaExtensions") {
			if e, _ := e.(map[string]any); e["schema"] == extensionURN && e["required"] == true {
				return
			}
		}
		a.fail("no required extension %s", extensionURN)
	}},
	{"34 a required extension that is missing is a 400", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra"} {
			c := tenant(idp)
			c.post("/Users", user(`"userName":"ann"`)).refused(http.StatusBadRequest, "invalidValue")
			c.post("/Users", badged("ann", `{}`)).refused(http.StatusBadRequest, "invalidValue")
			c.post("/Users", badged("ann", `{"level":1}`)).refused(http.StatusBadRequest, "invalidValue")
			c.get("/Users").want(http.StatusOK).has("totalResults", 0)
			path := "/Users/" + c.post("/Users", badged("ann", `{"badge":"1"}`)).want(http.StatusCreated).id()
			c.unchanged(path, func() {
				c.put(path, user(`"userName":"ann"`)).refused(http.StatusBadRequest, "invalidValue")
				c.patch(path, `{"op":"remove","path":"`+extensionURN+`"}`).refused(http.StatusBadRequest, "")
				c.patch(path, `{"op":"remove","path":"`+extensionURN+`:badge"}`).refused(http.StatusBadRequest, "")
			})
			c.post("/Groups", group(`"displayName":"no badge needed"`)).want(http.StatusCreated)
		}
	}},
	{"34 extension data whose URN is missing from schemas is taken", func(tenant func(string) *client) {
		body := `{"schemas":["` + userURN + `"],"userName":"ann","` + extensionURN + `":{"badge":"1"}}`
		for _, idp := range []string{"generic", "entra", "okta"} {
			tenant(idp).post("/Users", body).want(http.StatusCreated).has("schemas", []string{userURN, extensionURN})
		}
		tenant("rfc").post("/Users", body).refused(http.StatusBadRequest, "")
	}},
	{"custom attributes are addressed with a colon or a dot", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "entra"} {
			c := tenant(idp)
			path := "/Users/" + c.post("/Users",
				`{"schemas":["`+userURN+`"],"userName":"ann","`+extensionURN+`:badge":"1"}`).want(http.StatusCreated).
				has(inExtension("badge"), "1").id()
			c.patch(path, `{"op":"replace","path":"`+extensionURN+`:level","value":3}`).want(http.StatusOK,
				http.StatusNoContent)
			c.patch(path, `{"op":"replace","value":{"`+extensionURN+`.colour":"red"}}`).want(http.StatusOK,
				http.StatusNoContent)
			c.patch(path, `{"op":"add","path":"`+extensionURN+`.rooms","value":["1","2"]}`).want(http.StatusOK,
				http.StatusNoContent)
			c.get(path).want(http.StatusOK).has(inExtension("level"), 3).has(inExtension("colour"),
				"red").has(inExtension("rooms"), []string{"1", "2"})
			c.get(path, params("attributes", extensionURN+":level")).want(http.StatusOK).has(inExtension("level"),
				3).lacks("userName", inExtension("badge"))
			c.filter("/Users", extensionURN+`:level ge 3 and `+extensionURN+`.rooms eq "2"`).has("totalResults", 1)
			c.filter("/Users", extensionURN+`:level gt 3`).has("totalResults", 0)
		}
	}},
	{"types and allowed values are enforced", func(tenant func(string) *client) {
		strict := tenant("rfc")
		for _, values := range []string{`{"badge":1}`, `{"badge":"1","rooms":[1]}`, `{"badge":"1","level":"3"}`} {
			strict.post("/Users", badged("ann", values)).refused(http.StatusBadRequest, "invalidValue")
		}
		for _, c := range []*client{strict, tenant("generic")} {
			for _, values := range []string{
				`{"badge":"1","level":"three"}`, `{"badge":"1","level":1.5}`, `{"badge":["1","2"]}`, `{"badge":1.5}`,
				`{"badge":true}`,
				`{"badge":"1","colour":"blue"}`, `{"badge":"1","since":"yesterday"}`, `{"badge":"1","rooms":[true]}`,
				`{"badge":" "}`,
			} {
				c.post("/Users", badged("ann", values)).refused(http.StatusBadRequest, "invalidValue")
			}
		}
	}},
	{"a unique value is given once", func(tenant func(string) *client) {
		c := tenant("generic")
		one := "/Users/" + c.post("/Users", badged("ann", `{"badge":"A1"}`)).want(http.StatusCreated).id()
		two := "/Users/" + c.post("/Users", badged("bob", `{"badge":"A2"}`)).want(http.StatusCreated).id()
		c.post("/Users", badged("eve", `{"badge":"a1"}`)).refused(http.StatusConflict, "uniqueness")
		c.patch(two, `{"op":"replace","path":"`+extensionURN+`:badge","value":"a1"}`).refused(http.StatusConflict,
			"uniqueness")
		c.put(two, badged("bob", `{"badge":"A1"}`)).refused(http.StatusConflict, "uniqueness")
		c.delete(one).want(http.StatusNoContent)
		c.put(two, badged("bob", `{"badge":"A1"}`)).want(http.StatusOK).has(inExtension("badge"), "A1")
		c.post("/Users", badged("eve", `{"badge":"A2"}`)).want(http.StatusCreated)
	}},
	{"mutability and returned are enforced", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.post("/Users", badged("ann",
			`{"badge":"1","since":"2026-11-22T08:00:00Z","pin":"4711","note":"n"}`)).want(http.StatusCreated).
			has(inExtension("since"), "2026-11-22T08:00:00Z").has(inExtension("note"),
			"n").lacks(inExtension("pin")).id()
		c.patch(path,
			`{"op":"replace","path":"`+extensionURN+`:since","value":"2027-11-22T08:00:00Z"}`).
			refused(http.StatusBadRequest, "mutability")
		c.put(path, badged("ann", `{"badge":"1","since":"2027-11-22T08:00:00Z"}`)).refused(http.StatusBadRequest,
			"mutability")
		c.get(path, params("attributes", extensionURN+":note,"+extensionURN+":pin")).want(http.StatusOK).
			has(inExtension("note"), "n").lacks(inExtension("pin"))
		c.get("/Users", params("filter", extensionURN+`:pin eq "4711"`)).refused(http.StatusBadRequest, "invalidFilter")
	}},
	{"what is never returned can't be found by trying", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra"} {
			c := tenant(idp)
			values := func(pin, answer, code string) string {
				return `{"badge":"1","pin":"` + pin + `","answers":["` + answer + `","b"],"safe":{"room":"1","code":"` + code +
					`"}}`
			}
			stored := badged("ann", values("4711", "a", "x"))
			path := "/Users/" + c.post("/Users", stored).want(http.StatusCreated).id()
			guess := func(right bool, send func() *answer) {
				c.t.Helper()
				c.put(path, stored).want(http.StatusOK)
				before := c.get(path).want(http.StatusOK)
				a := send().want(http.StatusOK)
				after := c.get(path).want(http.StatusOK)
				if before.Header.Get("ETag") == after.Header.Get("ETag") || before.str("meta.lastModified") > after.str(
					"meta.lastModified") {
					a.fail("the version tells that the guess is right: %v", right)
				}
			}
			op := func(op, name, value string) string {
				return `{"op":"` + op + `","path":"` + extensionURN + `:` + name + `","value":` + value + `}`
			}
			for _, right := range []bool{true, false} {
				pin, answers, code := "4711", "a", "x"
				if !right {
					pin, answers, code = "4712", "z", "y"
				}
				for _, op := range []string{
					op("replace", "pin", `"`+pin+`"`), op("add", "pin", `"`+pin+`"`), op("add", "answers",
						`["`+answers+`"]`),
					op("remove", "answers", `["`+answers+`"]`), op("replace", "answers", `["`+answers+`","b"]`),
					op("replace", "safe.code", `"`+code+`"`), op("replace", "safe", `{"code":"`+code+`"}`),
					`{"op":"replace","value":{"` + extensionURN + `:pin":"` + pin + `"}}`,
					`{"op":"add","value":{"` + extensionURN + `":{"safe":{"CODE":"` + code + `"}}}}`,
				} {
					guess(right, func() *answer { return c.patch(path, op) })
				}
				guess(right, func() *answer { return c.put(path, badged("ann", values(pin, "a", "x"))) })
				guess(right, func() *answer {
					return c.put(path, badged("ann", `{"badge":"1","answers":["`+answers+`","b"],"safe":{"room":"1"}}`))
				})
			}
			// The shown part does not reveal it either: an element is removed or added with any value of its hidden
			// part.
			keys := func(code string) string { return `[{"type":"a","code":"` + code + `"}]` }
			for _, code := range []string{"x", "y"} {
				c.put(path, badged("ann", `{"badge":"1","keys":`+keys("x")+`}`)).want(http.StatusOK)
				c.patch(path, op("add", "keys", keys(code))).want(http.StatusOK).has(inExtension("keys"),
					map[string]any{"$len": 1.0})
				c.put(path, badged("ann", `{"badge":"1","keys":`+keys("x")+`}`)).want(http.StatusOK)
				c.patch(path, op("remove", "keys",
					`[{"code":"`+code+`"}]`)).want(http.StatusOK).has(inExtension("keys"), map[string]any{"$len": 1.0})
				c.patch(path, op("remove", "keys", keys(code))).want(http.StatusOK).lacks(inExtension("keys"))
			}
			c.put(path, stored).want(http.StatusOK)
			// An immutable hidden value can't be repeated, not even the same.
			fixed := func(serial, seal, lock string) string {
				return `{"badge":"1"` + serial + `,"seal":{"id":"s"` + seal + `},"lock":{"id":"l"` + lock + `}}`
			}
			c.put(path, badged("ann", fixed(`,"serial":"1"`, `,"code":"x"`, `,"code":"x"`))).want(http.StatusOK)
			refused := func(a *answer) { a.refused(http.StatusBadRequest, "mutability") }
			for _, v := range []string{"1", "x", "2"} {
				v = quote(v)
				for _, body := range []string{
					fixed(`,"serial":`+v, "", ""), fixed("", `,"code":`+v, ""),
					fixed("", "", `,"code":`+v),
				} {
					refused(c.put(path, badged("ann", body)))
				}
				for _, o := range []string{
					op("replace", "serial", v), op("add", "serial", v), op("replace", "seal.code", v),
					op("add", "seal", `{"code":`+v+`}`),
					op("replace", "seal", `{"id":"s","code":`+v+`}`), op("replace", "lock.code", v),
					op("add", "lock", `{"CODE":`+v+`}`),
					`{"op":"replace","value":{"` + extensionURN + `":{"serial":` + v + `}}}`,
					`{"op":"add","value":{"` + extensionURN + `:lock":{"code":` + v + `}}}`,
				} {
					refused(c.patch(path, o))
				}
			}
			c.put(path, badged("ann", fixed("", "", ""))).want(http.StatusOK)
			c.patch(path, op("replace", "lock.id", `"m"`)).want(http.StatusOK).has(inExtension("lock.id"), "m")
			c.put(path, stored).want(http.StatusOK)
			// A write that does not name the hidden value does not change it.
			c.unchanged(path, func() {
				c.put(path, badged("ann", `{"badge":"1","safe":{"room":"1"}}`)).want(http.StatusOK)
				c.patch(path, op("replace", "badge", `"1"`)).want(http.StatusOK)
				c.patch(path, `{"op":"replace","path":"password","value":"x"}`)
			})
		}
	}},
	{"an attribute returned on request comes back to who sent it", func(tenant func(string) *client) {
		note := inExtension("note")
		for _, idp := range []string{"generic", "rfc", "entra"} {
			c := tenant(idp)
			path := "/Users/" + c.post("/Users", badged("ann",
				`{"badge":"1","NOTE":"a"}`)).want(http.StatusCreated).has(note, "a").id()
			c.get(path).want(http.StatusOK).lacks(note)
			c.get("/Users").want(http.StatusOK).lacks("Resources[0]['" + extensionURN + "'].note")
			c.put(path, badged("ann", `{"badge":"1","note":"b"}`)).want(http.StatusOK).has(note, "b")
			c.put(path, badged("ann", `{"badge":"1"}`)).want(http.StatusOK).lacks(note)
			for i, op := range []string{
				`{"op":"add","path":"` + extensionURN + `:note","value":"v"}`,
				`{"op":"replace","value":{"` + extensionURN + `:note":"v"}}`,
				`{"op":"replace","value":{"` + extensionURN + `":{"Note":"v"}}}`,
				`{"op":"replace","path":"` + extensionURN + `","value":{"note":"v"}}`,
				`{"op":"add","value":{"title":"x","` + extensionURN + `.note":"v"}}`,
			} {
				a := c.patch(path, op).want(http.StatusOK).has(note, "v").has("userName", "ann")
				if i == 0 {
					c.patch(path, `{"op":"replace","path":"title","value":"t"}`).want(http.StatusOK).lacks(note)
					c.patch(path, op, params("attributes", "userName")).want(http.StatusOK).lacks(note)
					c.patch(path, op, params("excludedAttributes", "title")).want(http.StatusOK).has(note,
						"v").lacks("title")
					c.patch(path, op, params("excludedAttributes",
						extensionURN+":note")).want(http.StatusOK).lacks(note)
				}
				if a.has(inExtension("badge"), "1"); len(a.list("schemas")) != 2 {
					a.fail("schemas")
				}
			}
		}
	}},
}
