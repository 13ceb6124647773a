package scimtest

import (
	"net/http"
	"slices"
	"strings"
)

// marked creates users of one tag: their names are the tag with the given ends.
func (c *client) marked(mark string, members map[string]string) {
	c.t.Helper()
	for end, more := range members {
		if more != "" {
			more = "," + more
		}
		c.create(`"userName":"` + mark + end + `"` + more)
	}
}

// order checks the sequence of one attribute in a list, without the mark in front of each value.
func (a *answer) order(attribute, mark string, want ...string) *answer {
	a.t.Helper()
	got := a.column(attribute)
	for i := range got {
		got[i] = strings.TrimPrefix(strings.ToLower(got[i]), mark)
	}
	if !slices.Equal(got, want) {
		a.fail("order %q, want %q", got, want)
	}
	return a
}

var rfc7644Query = []behaviour{
	{"a filter sees defaulted values", func(tenant func(string) *client) {
		c := tenant("rfc")
		name := tag()
		a := c.post("/Users", user(`"userName":"`+name+`"`)).want(http.StatusCreated)
		mine := `userName eq "` + name + `" and `
		if a.at("active") != nil {
			c.filter("/Users", mine+"active eq true").lists("userName", name)
			c.filter("/Users", mine+"active pr").lists("userName", name)
			c.filter("/Users", mine+"active eq false").lists("userName")
		} else {
			c.filter("/Users", mine+"active pr").lists("userName")
		}
	}},
	{"filters of the grammar", func(tenant func(string) *client) {
		c := tenant("rfc")
		mark := tag()
		c.marked(mark, map[string]string{
			"a": `"title":"Boss","userType":"Employee","emails":[{"value":"a@example.com","type":"work"},` +
				`{"value":"a@example.org","type":"home"}]`,
			"b": `"userType":"Intern","emails":[{"value":"b@example.org","type":"work"}],"` + enterpriseURN +
				`":{"department":"D"}`,
			"c": `"title":"Clerk","userType":"Employee"`,
		})
		for filter, want := range map[string]string{
			`title pr and userType eq "Employee"`:                                  "ac",
			`title pr or userType eq "Intern"`:                                     "abc",
			`userType eq "Employee" and (emails co "example.com" or title sw "C")`: "ac",
			`userType ne "Intern" and not (emails co "example.org")`:               "c",
			`emails[type eq "work" and value co "@example.org"]`:                   "b",
			`emails.type eq "work" and emails.value co "@example.org"`:             "ab",
			`emails[type eq "work"] and userType eq "Employee"`:                    "a",
			`schemas eq "` + enterpriseURN + `"`:                                   "b",
			userURN + `:title ew "ss"`:                                             "a",
			enterpriseURN + `:department eq "d"`:                                   "b",
			`USERTYPE Eq "employee" AND title PR`:                                  "ac",
			`title eq "Boss" or title eq "Clerk" and userType eq "Intern"`:         "a",
			`(title eq "Boss" or title eq "Clerk") and userType eq "Employee"`:     "ac",
			`not (title pr)`:  "b",
			`title gt "Boss"`: "c",
			`meta.lastModified ge "2011-05-13T04:42:34Z" and title le "boss"`: "a",
		} {
			var names []string
			for _, end := range want {
				names = append(names, mark+string(end))
			}
			c.filter("/Users", `userName sw "`+mark+`" and (`+filter+`)`).lists("userName", names...)
		}
		for _, filter := range []string{
			`userName regex "x"`, `userName`, `userName eq`, `(userName pr`, `name eq "x"`,
			`active gt true`, `x509Certificates.value lt "x"`,
		} {
			c.get("/Users", params("filter", filter)).refused(http.StatusBadRequest, "invalidFilter")
		}
	}},
	{"pages", func(tenant func(string) *client) {
		c := tenant("rfc")
		mark := tag()
		c.marked(mark, map[string]string{"a": "", "b": "", "c": ""})
		mine := func(more ...string) *answer {
			return c.get("/Users", params(append([]string{"filter", `userName sw "` + mark + `"`}, more...)...)).
				want(http.StatusOK).has("totalResults", 3)
		}
		for startIndex, n := range map[string]int{"-5": 3, "0": 3, "1": 3, "2": 2, "3": 1, "4": 0} {
			mine("startIndex", startIndex).has("itemsPerPage", n).has("Resources", map[string]any{"$len": n})
		}
		for count, n := range map[string]int{"-1": 0, "0": 0, "1": 1, "2": 2, "10": 3} {
			mine("count", count).has("itemsPerPage", n)
		}
		c.get("/Users", params("filter", `userName eq "`+mark+`nobody"`)).want(http.StatusOK).has("totalResults", 0)
	}},
	{"attributes and excludedAttributes", func(tenant func(string) *client) {
		c := tenant("rfc")
		mark := tag()
		id := c.create(`"userName":"` + mark + `","title":"t","name":{"givenName":"A","familyName":"L"},"` + enterpriseURN +
			`":{"department":"d"}`)
		for _, a := range []*answer{
			c.get("/Users/"+id, params("attributes", "userName,name.givenName")).want(http.StatusOK),
			c.put("/Users/"+id, user(`"userName":"`+mark+`","title":"t","name":{"givenName":"A","familyName":"L"},"`+
				enterpriseURN+`":{"department":"d"}`),
				params("attributes", "userName,name.givenName")).want(http.StatusOK),
			c.patch("/Users/"+id, `{"op":"add","path":"title","value":"u"}`,
				params("attributes", userURN+":userName,NAME.givenName")).want(http.StatusOK),
		} {
			a.has("id", id).has("schemas", exists).has("userName", mark).holds("name", `{"givenName":"A"}`).
				lacks("title", "meta", "['"+enterpriseURN+"']")
		}
		c.get("/Users/"+id, params("excludedAttributes", "id,schemas,name,"+enterpriseURN+":department")).
			want(http.StatusOK).
			has("id", id).has("schemas", exists).has("userName", mark).lacks("name", "['"+enterpriseURN+"'].department")
	}},
	{"sorting", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("sort.supported")
		mark := tag()
		c.marked(mark, map[string]string{
			"a": `"title":"b","name":{"familyName":"Z"},"emails":[{"value":"z@example.com"},{"value":"a@example.com",` +
				`"primary":true}]`,
			"B": `"title":"A","name":{"familyName":"y"},"emails":[{"value":"c@example.com"},{"value":"a@example.com"}]`,
			"c": `"name":{"familyName":"X"},"emails":[{"value":"b@example.com"}]`,
		})
		sorted := func(more ...string) *answer {
			return c.get("/Users", params(append([]string{"filter", `userName sw "` + mark + `"`}, more...)...)).
				want(http.StatusOK)
		}
		sorted("sortBy", "userName").order("userName", mark, "a", "b", "c")
		sorted("sortBy", "USERNAME", "sortOrder", "descending").order("userName", mark, "c", "b", "a")
		sorted("sortBy", "name.familyName", "sortOrder", "ascending").order("userName", mark, "c", "b", "a")
		sorted("sortBy", "title").order("userName", mark, "b", "a", "c")
		sorted("sortBy", "title", "sortOrder", "descending").order("userName", mark, "c", "a", "b")
		sorted("sortBy", "emails.value").order("userName", mark, "a", "c", "b")
		sorted("sortBy", "emails").order("userName", mark, "a", "c", "b")
		sorted("sortBy", "userName", "startIndex", "2", "count", "1").order("userName", mark, "b")
	}},
	{"search by POST", func(tenant func(string) *client) {
		c := tenant("rfc")
		mark := tag()
		c.marked(mark, map[string]string{"a": `"displayName":"` + mark + `"`, "b": `"displayName":"` + mark + `"`})
		gid := c.createGroup(`"displayName":"` + mark + `"`)
		search := func(path, more string) *answer {
			return c.post(path+"/.search", `{"schemas":["`+searchURN+`"],`+more+`}`)
		}
		search("/Users", `"filter":"userName sw \"`+mark+`\"","attributes":["userName"]`).want(http.StatusOK).
			lists("userName", mark+"a", mark+"b").lacks("Resources[0].displayName", "Resources[0].meta")
		search("/Users", `"filter":"userName sw \"`+mark+`\"","excludedAttributes":["userName"],"startIndex":2,"count":1`).
			want(http.StatusOK).
			has("totalResults", 2).has("itemsPerPage", 1).has("startIndex", 2).lacks("Resources[0].userName")
		search("/Groups", `"filter":"displayName eq \"`+mark+`\""`).want(http.StatusOK).lists("id", gid)
		search("/Users", `"filter":"userName regex \"x\""`).refused(http.StatusBadRequest, "invalidFilter")
		c.post("/Users/.search", `{"filter":"userName pr"}`).refused(http.StatusBadRequest, "")
	}},
	{"the root lists every type", func(tenant func(string) *client) {
		c := tenant("rfc")
		mark := tag()
		id := c.create(`"userName":"` + mark + `","displayName":"` + mark + `"`)
		gid := c.createGroup(`"displayName":"` + mark + `"`)
		both := `displayName eq "` + mark + `"`
		for _, a := range []*answer{
			c.get("", params("filter", both)), c.get("/", params("filter", both)),
			c.post("/.search", `{"schemas":["`+searchURN+`"],"filter":`+quote(both)+`}`),
		} {
			a.want(http.StatusOK).lists("id", id, gid)
		}
		root := func(filter string) *answer { return c.get("/", params("filter", filter)).want(http.StatusOK) }
		root(both+` and meta.resourceType eq "User"`).lists("id", id)
		root(both+` and (meta.resourceType eq "Group")`).lists("id", gid)
		// An attribute that a type does not have has no value there.
		root(both+` and userName pr`).lists("id", id)
		root(both+` and not (userName pr)`).lists("id", gid)
		root(`userName eq "`+mark+`"`).lists("id", id)
	}},
}
