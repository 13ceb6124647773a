package scimtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// maxBody is the size above which a body is refused with 413: 4 MiB.
const maxBody = 4 << 20

// RunHostile sends requests that no honest client sends. Each must be refused with a SCIM error of status 4xx, and
// nothing may be stored. newTarget makes a fresh, empty tenant of a profile.
func RunHostile(t *testing.T, newTarget func(t *testing.T, idp string) Target) {
	t.Helper()
	for _, b := range hostileInput {
		t.Run(b.name, func(t *testing.T) { b.test(t, newTarget) })
	}
}

// hostileBodies are refused as the body of any write to any resource.
var hostileBodies = map[string]string{
	"truncated":                 `{"userName":"refused"`,
	"trailing data":             user(`"userName":"refused"`) + `{"a":1}`,
	"two roots":                 user(`"userName":"refused"`) + "\n" + user(`"userName":"refused"`),
	"array":                     `[` + user(`"userName":"refused"`) + `]`,
	"number":                    `1`,
	"null":                      `null`,
	"comment":                   `{/* x */"userName":"refused"}`,
	"single quotes":             `{'userName':'refused'}`,
	"NaN":                       `{"userName":"refused","x":NaN}`,
	"leading zero":              `{"userName":"refused","x":01}`,
	"control character":         "{\"userName\":\"refused\nx\"}",
	"byte order mark, UTF-16":   "\xff\xfe{\x00}\x00",
	"not UTF-8":                 "{\"schemas\":[\"" + userURN + "\"],\"userName\":\"refused\xff\xfe\"}",
	"overlong UTF-8":            "{\"schemas\":[\"" + userURN + "\"],\"userName\":\"refused\xc0\xaf\"}",
	"surrogate in UTF-8":        "{\"schemas\":[\"" + userURN + "\"],\"userName\":\"refused\xed\xa0\x80\"}",
	"duplicate key":             user(`"userName":"refused","userName":"refused2"`),
	"duplicate key, other case": user(`"userName":"refused","USERNAME":"refused2"`),
	"duplicate key inside":      user(`"userName":"refused","name":{"givenName":"a","givenName":"b"}`),
	"deep arrays": user(`"userName":"refused","x":` + strings.Repeat("[", 10000) +
		strings.Repeat("]", 10000)),
	"deep objects": user(`"userName":"refused","x":` + strings.Repeat(`{"x":`, 10000) + "1" +
		strings.Repeat("}", 10000)),
	"deep and truncated": strings.Repeat(`{"x":[`, 50000),
	"only brackets":      strings.Repeat("[", 100000),
}

var hostileInput = []behaviour{
	{"bodies", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		gpath := "/Groups/" + c.createGroup(`"displayName":"g"`)
		c.unchanged(path, func() {
			c.unchanged(gpath, func() {
				for name, body := range hostileBodies {
					for _, r := range [][2]string{
						{http.MethodPost, "/Users"},
						{http.MethodPost, "/Groups"},
						{http.MethodPut, path},
						{http.MethodPut, gpath},
						{http.MethodPatch, path},
						{http.MethodPatch, gpath},
					} {
						a := c.do(r[0], r[1], body)
						if a.Status != http.StatusBadRequest {
							a.fail("%s: want 400", name)
						}
					}
				}
			})
		})
		c.get("/Users").lists("userName", "ann")
		c.get("/Groups").lists("displayName", "g")
	}},
	{"huge numbers", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		for _, n := range []string{
			"1e999", "-1e999", "1" + strings.Repeat("0", 5000), "0." + strings.Repeat("1", 5000),
			"1e-999999999", "9223372036854775808", "1E+2147483648",
		} {
			c.post("/Users", user(`"userName":`+n)).refused(http.StatusBadRequest, "")
			c.post("/Users", user(`"userName":"refused","title":`+n)).refused(http.StatusBadRequest, "")
			c.post("/Users", user(`"userName":"refused","active":`+n)).refused(http.StatusBadRequest, "")
			c.patch(path, `{"op":"replace","path":"title","value":`+n+`}`).refused(http.StatusBadRequest, "")
			c.get("/Users", params("filter", `title eq `+n)).is(http.StatusOK, http.StatusBadRequest)
			c.get("/Users", params("startIndex", n)).is(http.StatusOK, http.StatusBadRequest)
			c.get("/Users", params("count", n)).is(http.StatusOK, http.StatusBadRequest)
		}
		c.get("/Users", params("startIndex", "9223372036854775807", "count", "9223372036854775807")).
			is(http.StatusOK, http.StatusBadRequest)
		c.get("/Users", params("startIndex", "-9223372036854775808", "count", "-9223372036854775808")).
			is(http.StatusOK, http.StatusBadRequest)
		c.get("/Users").lists("userName", "ann")
	}},
	{"oversized bodies are a 413", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		body := user(`"userName":"refused","x":"` + strings.Repeat("x", maxBody) + `"`)
		c.post("/Users", body).refused(http.StatusRequestEntityTooLarge, "")
		c.put(path, body).refused(http.StatusRequestEntityTooLarge, "")
		c.do(http.MethodPatch, path, patchOp(`{"op":"add","path":"title","value":"`+strings.Repeat("x", maxBody)+`"}`)).
			refused(http.StatusRequestEntityTooLarge, "")
		c.get("/Users").lists("userName", "ann")
	}},
	{"a resource that would not fit is a 4xx", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		c.unchanged(path, func() {
			big := strings.Repeat("x", 1<<20)
			var roles []string
			for i := range 20 {
				roles = append(roles, fmt.Sprintf(`{"value":"%d%s"}`, i, big[:60000]))
			}
			for _, a := range []*answer{
				c.post("/Users", user(`"userName":"refused","title":"`+big+`"`)),
				c.put(path, user(`"userName":"ann","title":"`+big+`"`)),
				c.patch(path, `{"op":"add","path":"title","value":"`+big+`"}`),
				c.post("/Users", user(`"userName":"refused","roles":[`+strings.Join(roles, ",")+`]`)),
			} {
				if a.Status < 400 || a.Status > 499 {
					a.fail("want 4xx")
				}
			}
		})
		c.get("/Users").lists("userName", "ann")
	}},
	{"media types", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, contentType := range []string{
			"text/html", "application/octet-stream", "application/xml", "image/png",
			"application/jsonx", "json",
		} {
			c.post("/Users", user(`"userName":"refused"`), header("Content-Type", contentType)).
				refused(http.StatusUnsupportedMediaType, "")
			c.post("/Groups", group(`"displayName":"refused"`), header("Content-Type", contentType)).
				refused(http.StatusUnsupportedMediaType, "")
		}
		c.get("/Users").lists("userName")
	}},
	{"filters", func(tenant func(string) *client) {
		c := tenant("generic")
		c.create(`"userName":"ann"`)
		// API Gateway takes a request line and headers of 10,240 bytes at most, so that the longest stay below that.
		for name, filter := range map[string]string{
			"deep parentheses":          strings.Repeat("(", 2000) + `userName eq "ann"` + strings.Repeat(")", 2000),
			"deep and open":             strings.Repeat("(", 3000),
			"deep not":                  strings.Repeat("not (", 400) + `userName pr` + strings.Repeat(")", 400),
			"deep value path":           strings.Repeat("emails[", 400),
			"many clauses":              strings.TrimSuffix(strings.Repeat(`id eq "x" or `, 300), " or "),
			"many operators":            strings.Repeat("and ", 1000),
			"endless string":            `userName eq "` + strings.Repeat("x", 5000),
			"backslashes":               `userName eq "` + strings.Repeat(`\`, 2001) + `"`,
			"bad escape":                `userName eq "\u12"`,
			"lone surrogate":            `userName eq "\ud800" and`,
			"not UTF-8":                 "userName eq \"\xff\xfe\" \xc0",
			"control characters":        "userName\x00eq\x01\"ann\"",
			"long name":                 strings.Repeat("a", 5000) + ` eq "x"`,
			"dots":                      strings.Repeat("a.", 2000) + `b eq "x"`,
			"urn without end":           "urn:" + strings.Repeat(":", 3000),
			"injection":                 `userName eq "x" || "1"=="1"`,
			"quotes":                    strings.Repeat(`"`, 2001),
			"number without end":        `userName eq ` + strings.Repeat("9", 4000) + "x",
			"value path in value path":  `emails[type[value eq "x"] eq "y"]`,
			"value path on plain value": `userName[value eq "x"].y eq "z"`,
		} {
			a := c.get("/Users", params("filter", filter))
			if a.Status != http.StatusBadRequest {
				a.fail("%s: want 400", name)
			}
			c.get("/Groups", params("filter", filter)).is(http.StatusBadRequest)
		}
		c.get("/Users", params("filter", `userName eq "\u0000"`)).lists("userName")
		c.get("/Users", params("attributes", strings.Repeat("a,", 2000))).is(http.StatusOK, http.StatusBadRequest)
		c.get("/Users", params("excludedAttributes", strings.Repeat("a.", 2000))).
			is(http.StatusOK, http.StatusBadRequest)
	}},
	{"an over-long filter is a 400", func(tenant func(string) *client) {
		c := tenant("generic")
		c.get("/Users", params("filter", `userName eq "`+strings.Repeat("x", 9000)+`"`)).
			refused(http.StatusBadRequest, "invalidFilter")
	}},
	{"paths", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann","emails":[{"value":"a@example.com"}]`)
		c.unchanged(path, func() {
			for name, at := range map[string]string{
				"deep":             strings.Repeat("a.", 20000) + "b",
				"long":             strings.Repeat("a", 100000),
				"brackets":         strings.Repeat("emails[", 10000),
				"deep filter":      "emails[" + strings.Repeat("(", 10000) + `type eq "x"` + strings.Repeat(")", 10000) + "]",
				"many clauses":     "emails[" + strings.TrimSuffix(strings.Repeat(`type eq "x" or `, 5000), " or ") + "].value",
				"nul":              "title\x00",
				"colons":           strings.Repeat("urn:", 10000),
				"urn only":         "urn:ietf:params:scim:schemas:core:2.0:",
				"open string":      `emails[type eq "`,
				"two value paths":  `emails[type eq "x"][type eq "y"]`,
				"filter on simple": `title[value eq "x"]`,
			} {
				for _, op := range []string{"add", "replace", "remove"} {
					a := c.patch(path, fmt.Sprintf(`{"op":%q,"path":%s,"value":"x"}`, op, quote(at)))
					if a.Status != http.StatusBadRequest {
						a.fail("%s: want 400", name)
					}
				}
			}
		})
	}},
	{"members of the wrong shape", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Groups/" + c.createGroup(`"displayName":"g"`)
		c.unchanged(path, func() {
			for _, value := range []string{
				`12`, `true`, `[12]`, `[[]]`, `[{"value":12}]`, `[{"value":{"a":1}}]`,
				`[{"value":"` + strings.Repeat("x", 5000) + `"}]`, `[{"display":"x"}]`,
			} {
				for _, op := range []string{"add", "replace"} {
					c.patch(path, `{"op":"`+op+`","path":"members","value":`+value+`}`).refused(http.StatusBadRequest, "")
				}
				c.put(path, group(`"displayName":"g","members":`+value)).refused(http.StatusBadRequest, "")
				c.post("/Groups", group(`"displayName":"refused","members":`+value)).refused(http.StatusBadRequest, "")
			}
		})
		c.get("/Groups").lists("displayName", "g")
	}},
	{"urls", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		for _, path := range []string{
			"/Users/" + strings.Repeat("x", 4000), "/Users/%ff%fe", "/Users/a%2Fb", "/Users/..%2F..%2Fadmin",
			"/Users/%01",
			"/Users/" + id + "%00",
			"/Users/" + id + "%23x", "/Users/" + id + "%3Fx", "/Users/%25", "/Users/" + id + "%20",
			"/Users/%F0%9F%98%80",
			"//Users", "/Users//", "/Users//" + id,
		} {
			a := c.get(path)
			if a.Status < 400 || a.Status > 499 {
				a.fail("want 4xx")
			}
			a = c.delete(path)
			if a.Status < 400 || a.Status > 499 {
				a.fail("want 4xx")
			}
		}
		c.get("/Users").lists("id", id)
		for _, q := range []string{
			"%", "filter=%", "&&&", "=", "filter", "filter=", "count=&startIndex=", "count=1&count=2",
			"a[]=1;b=2", "filter=x&filter=y",
		} {
			c.get("/Users", query(q)).is(http.StatusOK, http.StatusBadRequest)
		}
	}},
	{"headers", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		c.unchanged(path, func() {
			for _, value := range []string{`"`, `W/`, `W/"`, `x`, `""`, `,,,`, strings.Repeat(`"x",`, 500), `W/"1`} {
				c.patch(path, `{"op":"add","path":"title","value":"x"}`, header("If-Match", value)).
					is(http.StatusPreconditionFailed, http.StatusBadRequest)
				c.get(path, header("If-None-Match", value)).is(http.StatusOK, http.StatusBadRequest)
			}
			for _, value := range []string{
				"Bearer " + strings.Repeat("x", 5000), "Bearer a b c", "Bearer \t", "\x80",
				"Bearer " + c.target.Token + "," + c.target.Token,
			} {
				c.get(path, header("Authorization", value)).is(http.StatusUnauthorized, http.StatusBadRequest)
			}
		})
	}},
	{"text that must not be read as anything else", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, name := range []string{
			`"><script>`, `'; DROP TABLE x;--`, `a\u0000b`, `a\u0001b`, `a#b`, `a|b`, `T#demo#U`, `../../x`, `${token}`, `%00`,
			`{{7*7}}`, `a\\b`, `\ud83d\ude00`, `a b`, `#`, `\u0001`, `\u0002`,
		} {
			encoded := strings.ReplaceAll(name, `"`, `\"`)
			a := c.post("/Users", user(`"userName":"`+encoded+`","externalId":"`+encoded+`","displayName":"`+encoded+`"`))
			if a.Status == http.StatusBadRequest {
				continue
			}
			id := a.want(http.StatusCreated).id()
			shown := c.get("/Users/" + id).want(http.StatusOK)
			c.filter("/Users", `userName eq `+quote(shown.str("userName"))).lists("id", id)
			c.filter("/Users", `externalId eq `+quote(shown.str("userName"))).lists("id", id)
			c.delete("/Users/" + id).want(http.StatusNoContent)
		}
		c.get("/Users").lists("id")
	}},
}
