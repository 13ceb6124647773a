package scimtest

import (
	"net/http"
	"slices"
	"strings"
)

// cursorBehaviours are those of cursor-based pagination (RFC 9865).
var cursorBehaviours = []behaviour{
	{"pagination is part of ServiceProviderConfig", func(tenant func(string) *client) {
		c := tenant("generic")
		c.get("/ServiceProviderConfig").want(http.StatusOK).has("pagination.cursor", true).
			has("pagination.index", true).
			has("pagination.defaultPageSize", exists).has("pagination.maxPageSize", exists).
			has("pagination.cursorTimeout", exists)
	}},
	{"a walk with cursors shows every resource once, forwards and backwards", func(tenant func(string) *client) {
		c := tenant("generic")
		all := c.many(11)
		for _, query := range [][]string{
			nil,
			{"filter", `userName sw "u"`},
			{"filter", `active eq true`},
			{"sortBy", "userName"},
			{"sortBy", "userName", "sortOrder", "descending"},
		} {
			pages, last := c.cursorWalk(query, 4)
			seen := slices.Concat(pages...)
			if !slices.Equal(slices.Sorted(slices.Values(seen)), slices.Sorted(slices.Values(all))) {
				c.t.Errorf("%q: a walk shows %q, there are %q", query, seen, all)
			}
			for i := len(pages) - 2; i >= 0 && last.str("previousCursor") != ""; i-- {
				last = c.get("/Users", params(append(query, "count", "4", "cursor", last.str("previousCursor"))...)).
					want(http.StatusOK)
				if got := last.column("id"); !slices.Equal(got, pages[i]) {
					last.fail("page %d backwards shows %q, forwards %q", i, got, pages[i])
				}
			}
		}
	}},
	{"cursors are URL-safe, and only where they were asked for", func(tenant func(string) *client) {
		c := tenant("generic")
		c.many(3)
		c.get("/Users", params("count", "2")).want(http.StatusOK).lacks("nextCursor", "previousCursor")
		c.get("/Users", params("count", "2", "startIndex", "1")).want(http.StatusOK).
			lacks("nextCursor", "previousCursor")
		a := c.get("/Users", query("count=2&cursor")).want(http.StatusOK).has("totalResults", 3).has("itemsPerPage", 2).
			lacks("previousCursor")
		next := a.str("nextCursor")
		const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		if next == "" || strings.Trim(next, letters+"0123456789-._~") != "" {
			a.fail("nextCursor %q", next)
		}
		c.get("/Users", params("count", "2", "cursor", next)).want(http.StatusOK).has("itemsPerPage", 1).
			lacks("nextCursor").has("previousCursor", exists)
	}},
	{"count with cursors", func(tenant func(string) *client) {
		c := tenant("generic")
		c.many(3)
		c.get("/Users", params("count", "0", "cursor", "")).want(http.StatusOK).has("totalResults", 3).
			has("itemsPerPage", 0).
			holds("Resources", "[]")
		c.get("/Users", params("cursor", "")).want(http.StatusOK).has("itemsPerPage", 3).lacks("nextCursor")
		c.get("/Users", params("count", "nonsense", "cursor", "")).refused(http.StatusBadRequest, "invalidCount")
	}},
	{"a cursor is good for its query and tenant only", func(tenant func(string) *client) {
		c := tenant("generic")
		c.many(3)
		next := c.get("/Users", params("count", "1", "cursor", "", "filter", `userName sw "u"`)).want(http.StatusOK).
			str("nextCursor")
		c.get("/Users", params("count", "1", "cursor", next, "filter", `userName sw "u"`)).want(http.StatusOK).
			has("itemsPerPage", 1)
		c.get("/Users", params("cursor", "nonsense")).refused(http.StatusBadRequest, "invalidCursor")
		c.get("/Users", params("count", "1", "cursor", next)).refused(http.StatusBadRequest, "invalidCursor")
		c.get("/Groups", params("count", "1", "cursor", next)).refused(http.StatusBadRequest, "invalidCursor")
		c.get("/Users", params("count", "1", "cursor", next, "filter", `userName sw "u"`, "sortBy", "title")).
			refused(http.StatusBadRequest, "invalidCursor")
		if c.target.Shared {
			return // there is no other tenant
		}
		other := tenant("generic")
		other.many(3)
		other.get("/Users", params("count", "1", "cursor", next, "filter", `userName sw "u"`)).
			refused(http.StatusBadRequest, "invalidCursor")
	}},
}

// cursorWalk reads all users by cursors, and returns the ids of each page, and the last page.
func (c *client) cursorWalk(query []string, count int) (pages [][]string, last *answer) {
	c.t.Helper()
	cursor := ""
	for range 100 {
		last = c.get("/Users", params(append(slices.Clone(query), "count", text(float64(count)), "cursor", cursor)...)).
			want(http.StatusOK)
		pages = append(pages, last.column("id"))
		if cursor = last.str("nextCursor"); cursor == "" {
			return pages, last
		}
	}
	c.t.Errorf("%q: the walk has no end", query)
	return pages, last
}
