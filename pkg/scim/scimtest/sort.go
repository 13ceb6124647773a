package scimtest

import (
	"net/http"
	"slices"
)

// sortBehaviours are those of sortBy and sortOrder (RFC 7644, section 3.4.2.3).
var sortBehaviours = []behaviour{
	{"42 sortBy is ascending by default, and descending on demand", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, name := range []string{"carol", "Alice", "bob"} {
			c.create(`"userName":` + quote(name))
		}
		c.sorts("/Users", "userName", []string{"Alice", "bob", "carol"}, "sortBy", "userName")
		c.sorts("/Users", "userName", []string{"Alice", "bob", "carol"}, "sortBy", "USERNAME", "sortOrder", "ascending")
		c.sorts("/Users", "userName", []string{"carol", "bob", "Alice"}, "sortBy", userURN+":userName", "sortOrder",
			"descending")
		c.sorts("/Users", "userName", []string{"bob", "carol"}, "sortBy", "userName", "filter", `userName co "o"`)
		c.sorts("/Users", "userName", []string{"carol", "bob"}, "sortBy", "userName", "sortOrder",
			"descending", "filter", `userName co "o"`)
	}},
	{
		"42 sorting is case-insensitive where the attribute is, and by code point where it is caseExact",
		func(tenant func(string) *client) {
			c := tenant("generic")
			for _, v := range []string{"b", "C", "a", "B2"} {
				c.create(`"userName":` + quote("user-"+v) + `,"title":` + quote(v) + `,"externalId":` + quote(v))
			}
			c.sorts("/Users", "title", []string{"a", "b", "B2", "C"}, "sortBy", "title")
			c.sorts("/Users", "externalId", []string{"B2", "C", "a", "b"}, "sortBy", "externalId")
			c.sorts("/Users", "externalId", []string{"b", "a", "C", "B2"}, "sortBy", "externalId",
				"sortOrder", "descending")
		},
	},
	{"42 what has no value comes last ascending and first descending", func(tenant func(string) *client) {
		c := tenant("generic")
		c.create(`"userName":"none"`)
		c.create(`"userName":"z","title":"z"`)
		c.create(`"userName":"a","title":"a"`)
		c.sorts("/Users", "userName", []string{"a", "z", "none"}, "sortBy", "title")
		c.sorts("/Users", "userName", []string{"none", "z", "a"}, "sortBy", "title", "sortOrder", "descending")
	}},
	{"42 sub-attributes, extensions, and the primary or first of several values", func(tenant func(string) *client) {
		c := tenant("generic")
		c.create(`"userName":"1","name":{"familyName":"Ng","givenName":"Z"},"emails":[{"value":"a@example.com"},` +
			`{"value":"z@example.com","primary":true}],"` +
			enterpriseURN + `":{"department":"Ops"}`)
		c.create(
			`"userName":"2","name":{"familyName":"lee"},"emails":[{"value":"m@example.com"},{"value":"b@example.com"}],"` +
				enterpriseURN + `":{"department":"dev"}`)
		c.sorts("/Users", "userName", []string{"2", "1"}, "sortBy", "name.familyName")
		c.sorts("/Users", "userName", []string{"1", "2"}, "sortBy", "name.givenName")
		c.sorts("/Users", "userName", []string{"2", "1"}, "sortBy", "emails.value")
		c.sorts("/Users", "userName", []string{"2", "1"}, "sortBy", "emails")
		c.sorts("/Users", "userName", []string{"2", "1"}, "sortBy", enterpriseURN+":department")
	}},
	{"42 dates sort as instants, Booleans false before true", func(tenant func(string) *client) {
		c := tenant("generic")
		c.create(`"userName":"first","active":true`)
		c.create(`"userName":"second","active":false`)
		c.sorts("/Users", "userName", []string{"second", "first"}, "sortBy", "active")
		found := c.get("/Users", params("sortBy", "meta.created")).want(http.StatusOK).column("meta.created")
		if !slices.IsSorted(found) {
			c.t.Errorf("sorted by meta.created: %q", found)
		}
	}},
	{"42 groups by displayName, and pages in order", func(tenant func(string) *client) {
		c := tenant("generic")
		names := []string{"delta", "Alpha", "charlie", "Bravo", "echo"}
		for _, name := range names {
			c.createGroup(`"displayName":` + quote(name))
		}
		want := []string{"Alpha", "Bravo", "charlie", "delta", "echo"}
		c.sorts("/Groups", "displayName", want, "sortBy", "displayName")
		c.sorts("/Groups", "displayName", want[2:4], "sortBy", "displayName", "startIndex", "3", "count", "2")
		c.sorts("/Groups", "displayName", want[:2], "sortBy", "displayName", "startIndex", "1", "count", "2")
		c.sorts("/Groups", "displayName", want[2:4], "sortBy", "displayName", "startIndex", "3", "count", "2")
		c.sorts("/Groups", "displayName", want[4:], "sortBy", "displayName", "startIndex", "5", "count", "2")
	}},
	{"42 sorting does not tell what is never returned", func(tenant func(string) *client) {
		for _, profile := range []string{"generic", "rfc", "interop", "entra", "okta"} {
			c := tenant(profile)
			c.create(`"userName":"1","password":"zzz"`)
			c.create(`"userName":"2","password":"aaa"`)
			c.get("/Users", params("sortBy", "password")).refused(http.StatusBadRequest, "invalidPath")
		}
	}},
	{"42 an unknown sortBy is refused, since the list would not be sorted", func(tenant func(string) *client) {
		for _, profile := range []string{"generic", "rfc", "interop", "entra", "okta"} {
			tenant(profile).get("/Users", params("sortBy", "nonsense")).refused(http.StatusBadRequest, "invalidPath")
		}
	}},
}

// sorts checks that a list shows an attribute's values in an order.
func (c *client) sorts(path, attribute string, want []string, query ...string) {
	c.t.Helper()
	a := c.get(path, params(query...)).want(http.StatusOK)
	if got := a.column(attribute); !slices.Equal(got, want) {
		a.fail("%q lists %s %q, want %q", query, attribute, got, want)
	}
}
