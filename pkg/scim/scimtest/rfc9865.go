package scimtest

import (
	"net/http"
	"slices"
	"strings"
)

// walk reads a list page by page from an empty cursor and returns one attribute of all resources, with the pages'
// answers.
func (c *client) walk(path, attribute string, parameters ...string) ([]string, []*answer) {
	c.t.Helper()
	var values []string
	var pages []*answer
	for cursor := ""; len(pages) < 100; {
		a := c.get(path, params(append([]string{"cursor", cursor}, parameters...)...)).want(http.StatusOK)
		values, pages = append(values, a.column(attribute)...), append(pages, a)
		if cursor = a.str("nextCursor"); cursor == "" {
			return values, pages
		}
	}
	c.t.Fatal("the walk does not end")
	return nil, nil
}

// seven creates seven users of one mark and returns the filter that finds them, and their names in order.
func (c *client) seven() (filter string, names []string) {
	c.t.Helper()
	mark := tag()
	for _, end := range strings.Split("g a f b e c d", " ") {
		c.create(`"userName":"` + mark + end + `"`)
		names = append(names, mark+end)
	}
	slices.Sort(names)
	return `userName sw "` + mark + `"`, names
}

var rfc9865 = []behaviour{
	{"the configuration says how paging is done", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("pagination.cursor")
		a := c.get("/ServiceProviderConfig").want(http.StatusOK).has("pagination.index", true)
		for _, path := range []string{
			"pagination.defaultPageSize", "pagination.maxPageSize", "pagination.cursorTimeout",
		} {
			if v, ok := a.at(path).(float64); a.at(path) != nil && (!ok || v < 1) {
				a.fail("%s is %s", path, text(a.at(path)))
			}
		}
		method := a.at("pagination.defaultPaginationMethod")
		if method != nil && method != "index" && method != "cursor" {
			a.fail("defaultPaginationMethod is %s", text(method))
		}
	}},
	{"a walk sees everything once", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("pagination.cursor")
		filter, names := c.seven()
		for _, count := range []string{"1", "2", "3", "7", "10"} {
			got, pages := c.walk("/Users", "userName", "filter", filter, "count", count)
			slices.Sort(got)
			if !slices.Equal(got, names) {
				c.t.Errorf("count %s: %q, want %q", count, got, names)
			}
			for _, page := range pages {
				if page.at("totalResults") != nil {
					page.has("totalResults", len(names))
				}
			}
			pages[len(pages)-1].lacks("nextCursor")
		}
		got, _ := c.walk("/Users", "userName", "filter", filter, "count", "2", "attributes", "userName")
		if len(got) != len(names) {
			c.t.Errorf("with attributes: %q", got)
		}
	}},
	{"a walk can be sorted", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("pagination.cursor")
		c.offers("sort.supported")
		filter, names := c.seven()
		got, _ := c.walk("/Users", "userName", "filter", filter, "count", "3", "sortBy", "userName")
		if !slices.Equal(got, names) {
			c.t.Errorf("%q, want %q", got, names)
		}
		slices.Reverse(names)
		if got, _ = c.walk("/Users", "userName", "filter", filter, "count", "3", "sortBy", "userName", "sortOrder",
			"descending"); !slices.Equal(got, names) {
			c.t.Errorf("descending: %q, want %q", got, names)
		}
	}},
	{"a walk goes back where the server offers it", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("pagination.cursor")
		filter, _ := c.seven()
		_, pages := c.walk("/Users", "userName", "filter", filter, "count", "3")
		pages[0].lacks("previousCursor")
		previous := pages[1].str("previousCursor")
		if previous == "" {
			c.t.Skip("the server gives no previousCursor, which is optional")
		}
		a := c.get("/Users", params("filter", filter, "count", "3", "cursor", previous)).want(http.StatusOK)
		if !slices.Equal(a.column("id"), pages[0].column("id")) {
			a.fail("page before the second: %q, want %q", a.column("id"), pages[0].column("id"))
		}
	}},
	{"a count of 0, below 0, and above the most", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("pagination.cursor")
		filter, names := c.seven()
		for _, count := range []string{"0", "-3"} {
			a := c.get("/Users", params("filter", filter, "count", count, "cursor", "")).want(http.StatusOK)
			a.has("Resources", map[string]any{"$len_or_absent": 0}).has("totalResults", len(names))
		}
		c.get("/Users", params("filter", filter, "cursor", "")).want(http.StatusOK).lists("userName", names...)
	}},
	{"bad cursors and counts are refused", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("pagination.cursor")
		filter, _ := c.seven()
		c.get("/Users", params("filter", filter, "cursor", "nonsense")).refused(http.StatusBadRequest, "invalidCursor")
		c.get("/Users", params("filter", filter, "cursor", "", "count", "x")).
			refused(http.StatusBadRequest, "invalidCount")
		next := c.get("/Users", params("filter", filter, "count", "3", "cursor", "")).
			want(http.StatusOK).str("nextCursor")
		// A server may take another count than that of the first page, or insist on it.
		if a := c.get("/Users", params("filter", filter, "count", "2", "cursor", next)); a.is(
			http.StatusOK, http.StatusBadRequest) && a.Status != http.StatusOK {
			a.has("scimType", "invalidCount")
		}
		c.get("/Users", params("filter", filter+" and active eq true", "count", "3", "cursor", next)).
			refused(http.StatusBadRequest, "invalidCursor")
		c.get("/Groups", params("count", "3", "cursor", next)).refused(http.StatusBadRequest, "invalidCursor")
		middle := len(next) / 2
		flipped := next[:middle] + map[bool]string{true: "A", false: "B"}[next[middle] != 'A'] + next[middle+1:]
		c.get("/Users", params("filter", filter, "count", "3", "cursor", flipped)).
			refused(http.StatusBadRequest, "invalidCursor")
	}},
	{"a cursor is good with a token only", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("pagination.cursor")
		filter, _ := c.seven()
		next := c.get("/Users", params("filter", filter, "count", "3", "cursor", "")).
			want(http.StatusOK).str("nextCursor")
		c.get("/Users", params("filter", filter, "count", "3", "cursor", next), without("Authorization")).
			refused(http.StatusUnauthorized, "")
		if c.target.Shared {
			return
		}
		other := tenant("rfc")
		other.get("/Users", params("filter", filter, "count", "3", "cursor", next)).
			refused(http.StatusBadRequest, "invalidCursor")
	}},
	{"without cursor the default method answers", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("pagination.cursor")
		filter, names := c.seven()
		a := c.get("/Users", params("filter", filter)).want(http.StatusOK).has("totalResults", len(names))
		if method := c.get("/ServiceProviderConfig").at("pagination.defaultPaginationMethod"); method == "index" {
			a.has("startIndex", 1)
		}
	}},
	{"search by POST takes a cursor", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.offers("pagination.cursor")
		filter, names := c.seven()
		var got []string
		for cursor := ""; ; {
			a := c.post("/Users/.search", `{"schemas":["`+searchURN+`"],"filter":`+quote(filter)+`,"count":3,"cursor":`+
				quote(cursor)+`}`).want(http.StatusOK)
			got = append(got, a.column("userName")...)
			if cursor = a.str("nextCursor"); cursor == "" || len(got) > len(names) {
				break
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, names) {
			c.t.Errorf("%q, want %q", got, names)
		}
	}},
}
