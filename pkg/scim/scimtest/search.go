package scimtest

import (
	"net/http"
	"net/url"
)

// searchFor sends a SearchRequest of further members.
func searchFor(c *client, path, members string) *answer {
	c.t.Helper()
	return c.post(path+"/.search", `{"schemas":["`+messagePrefix+`2.0:SearchRequest"]`+members+`}`)
}

// found creates a tenant with three users and two groups.
func found(c *client) {
	for _, name := range []string{"ann", "bob", "cid"} {
		c.create(`"userName":"` + name + `","displayName":"d-` + name + `","emails":[{"value":"` + name +
			`@example.com","type":"work"}]`)
	}
	c.createGroup(`"displayName":"d-staff"`)
	c.createGroup(`"displayName":"others"`)
}

var searchBehaviours = []behaviour{
	{"56 search by POST answers like GET", func(tenant func(string) *client) {
		c := tenant("generic")
		found(c)
		for _, q := range []struct{ path, members, query string }{
			{"/Users", "", ""},
			{"/Users", `,"filter":"userName eq \"bob\""`, "filter=" + url.QueryEscape(`userName eq "bob"`)},
			{"/Users", `,"filter":"userName sw \"x\""`, "filter=" + url.QueryEscape(`userName sw "x"`)},
			{"/Users", `,"attributes":["userName","emails.value"]`, "attributes=userName,emails.value"},
			{"/Users", `,"ATTRIBUTES":"userName,emails.value"`, "attributes=userName,emails.value"},
			{
				"/Users", `,"excludedAttributes":["emails"],"startIndex":2,"count":1`,
				"excludedAttributes=emails&startIndex=2&count=1",
			},
			{"/Users", `,"count":0,"filter":null,"unknown":"x"`, "count=0"},
			{"/Users", `,"sortBy":"userName","sortOrder":"descending"`, "sortBy=userName&sortOrder=descending"},
			{"/Groups", `,"filter":"displayName co \"staff\""`, "filter=" + url.QueryEscape(`displayName co "staff"`)},
			{"", `,"filter":"displayName sw \"d-\"","sortBy":"displayName"`, "sortBy=displayName&filter=" + url.QueryEscape(
				`displayName sw "d-"`)},
			{"", ``, ""},
		} {
			got := searchFor(c, q.path, q.members).want(http.StatusOK)
			path := q.path
			if path == "" {
				path = "/"
			}
			want := c.get(path, query(q.query)).want(http.StatusOK)
			if string(got.Body) != string(want.Body) {
				got.fail("GET %s?%s answers %s", q.path, q.query, clip(want.Body))
			}
		}
	}},
	{"56 queries across all types", func(tenant func(string) *client) {
		c := tenant("generic")
		found(c)
		for _, ask := range []func(expression string) *answer{
			func(e string) *answer { return searchFor(c, "", `,"filter":`+quote(e)) },
			func(e string) *answer { return c.get("/", params("filter", e)) },
		} {
			ask(`displayName sw "d-"`).lists("displayName", "d-ann", "d-bob", "d-cid", "d-staff")
			ask(`userName pr`).lists("userName", "ann", "bob", "cid")
			ask(`displayName eq "others"`).lists("displayName", "others")
			ask(`meta.resourceType eq "Group"`).lists("displayName", "d-staff", "others")
			ask(`userName eq "bob" or displayName eq "others"`).has("totalResults", 2)
			ask(`nothing eq "x"`).refused(http.StatusBadRequest, "invalidFilter")
			ask(`userName eq`).refused(http.StatusBadRequest, "invalidFilter")
		}
		a := c.get("/", params("attributes", "userName,displayName", "count", "2")).want(http.StatusOK).
			has("totalResults", 5).has("itemsPerPage", 2)
		seen := a.column("id")
		for _, start := range []string{"3", "5"} {
			page := c.get("/", params("count", "2", "startIndex", start)).want(http.StatusOK)
			seen = append(seen, page.column("id")...)
		}
		distinct := map[string]bool{}
		for _, id := range seen {
			distinct[id] = true
		}
		if len(seen) != 5 || len(distinct) != 5 {
			a.fail("the pages hold %q", seen)
		}
	}},
	{"56 a search request that names the answer it expects", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra"} {
			c := tenant(idp)
			found(c)
			for _, path := range []string{"/Users/.search", "/.search"} {
				c.post(path, `{"schemas":["`+listURN+`"],"filter":"userName eq \"bob\""}`).want(http.StatusOK).
					lists("userName", "bob")
			}
		}
	}},
	{"56 what is no search request", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, path := range []string{"/Users/.search", "/Groups/.search", "/.search"} {
			c.post(path, `{"filter":"userName pr"}`).refused(http.StatusBadRequest, "invalidSyntax")
			c.post(path, `{"schemas":["`+messagePrefix+`2.0:PatchOp"]}`).refused(http.StatusBadRequest, "invalidSyntax")
			c.post(path, `{"schemas":"`+messagePrefix+`2.0:SearchRequest"}`).refused(http.StatusBadRequest, "invalidSyntax")
			c.post(path, `{`).refused(http.StatusBadRequest, "invalidSyntax")
			for _, members := range []string{`,"attributes":[1]`, `,"attributes":{}`, `,"filter":true`, `,"count":1.5`} {
				c.post(path, `{"schemas":["`+messagePrefix+`2.0:SearchRequest"]`+members+`}`).
					refused(http.StatusBadRequest, "invalidSyntax")
			}
			c.get(path).refused(http.StatusMethodNotAllowed, "")
		}
		searchFor(c, "/Users", `,"filter":"userName xx \"a\""`).refused(http.StatusBadRequest, "invalidFilter")
	}},
}
