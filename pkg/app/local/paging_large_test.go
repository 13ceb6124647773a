package local_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
)

// length sends a GET that has to succeed and returns how long the answer is.
func (a *api) length(path string) int {
	a.t.Helper()
	r := httptest.NewRequest("GET", a.base+path, nil)
	r.Header.Set("Authorization", "Bearer "+a.token)
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	if w.Code != 200 {
		a.t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.Len()
}

// TestLongPagesAreCut walks lists whose pages do not fit one answer: each is cut at the limit, says how much it
// holds, and the next goes on right after it.
func TestLongPagesAreCut(t *testing.T) {
	slow.Test(t, "it writes pages of some megabytes")
	slow.NoRace(t)
	a := tenantOn(t, open(t), "acme", "generic")
	var all []string
	const users = 24
	for i := range users {
		all = append(all, a.must(201, "POST", "/Users", fmt.Sprintf(
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d","nickName":%q}`, i,
			strings.Repeat("\u00fc", 100_000)))["id"].(string))
	}
	slices.Sort(all)
	if n := a.length("/Users"); n > 4_500_000 || n < 4_000_000 {
		t.Errorf("an answer of %d bytes", n)
	}
	for _, query := range []string{"", "&sortBy=nickName", "&filter=" + url.QueryEscape(`nickName pr`)} {
		for _, method := range []string{"index", "cursor"} {
			var seen, sizes []string
			next, start := "&cursor=", 1
			var page object
			for range 20 {
				where := next
				if method == "index" {
					where = fmt.Sprintf("&startIndex=%d", start)
				}
				page = a.must(200, "GET", "/Users?count=30"+query+where, "")
				found := ids(page)
				if page["itemsPerPage"] != float64(len(found)) || page["totalResults"] != float64(users) {
					t.Errorf("itemsPerPage %v of %d, totalResults %v", page["itemsPerPage"], len(found),
						page["totalResults"])
				}
				seen, sizes, start = append(seen, found...), append(sizes, fmt.Sprint(len(found))), start+len(found)
				cursor, _ := page["nextCursor"].(string)
				next = "&cursor=" + cursor
				if method == "index" && start > users || method != "index" && cursor == "" {
					break
				}
			}
			if method == "cursor" { // and back
				forth := slices.Clone(seen)
				seen = ids(page)
				for page["previousCursor"] != nil {
					cursor := page["previousCursor"].(string)
					page = a.must(200, "GET", "/Users?count=30"+query+"&cursor="+cursor, "")
					seen = append(ids(page), seen...)
				}
				if !slices.Equal(seen, forth) {
					t.Errorf("%q: forth %q, back %q", query, forth, seen)
				}
			}
			if slices.Sort(seen); !slices.Equal(seen, all) || len(sizes) < 2 {
				t.Errorf("%q by %s: pages of %v hold %d of %d", query, method, sizes, len(seen), len(all))
			}
		}
	}
	if got := a.length("/Users?attributes=userName"); got > 20_000 {
		t.Errorf("names alone take %d bytes", got)
	}
}

// TestNamesOfLongUsersFitAPage: a page is cut by the size that it shows, not by the stored size.
func TestNamesOfLongUsersFitAPage(t *testing.T) {
	slow.Test(t, "it writes pages of some megabytes")
	slow.NoRace(t)
	a := tenantOn(t, open(t), "acme", "generic")
	const users = 42
	for i := range users {
		a.must(201, "POST", "/Users", fmt.Sprintf(
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%02d","title":%q}`, i,
			strings.Repeat("t", 120_000)))
	}
	for _, query := range []string{
		"&attributes=userName", "&attributes=userName&sortBy=userName", "&attributes=userName&sortBy=title",
		"&excludedAttributes=title&cursor=",
		"&attributes=userName&filter=" + url.QueryEscape(`title pr`), "&attributes=groups&filter=" + url.QueryEscape(
			`userName sw "u"`),
	} {
		page := a.must(200, "GET", "/Users?count=1000"+query, "")
		if len(ids(page)) != users || page["itemsPerPage"] != float64(users) || page["nextCursor"] != nil {
			t.Errorf("%s: %d of %d users, itemsPerPage %v, nextCursor %v", query, len(ids(page)), users,
				page["itemsPerPage"], page["nextCursor"])
		}
		first := page["Resources"].([]any)[0].(object)
		if name, _ := first["userName"].(string); strings.Contains(query, "userName&") && name == "" ||
			first["title"] != nil {
			t.Errorf("%s: %v", query, first)
		}
	}
	page := a.must(200, "GET", "/Users?count=50&attributes=title&cursor=", "")
	if n := len(ids(page)); n < 30 || n > 37 || page["nextCursor"] == nil {
		t.Errorf("with titles: %d users, nextCursor %v", n, page["nextCursor"])
	}
}

// TestLongPagesOfGroupsAreCut is the same for members, which are not part of the stored group.
func TestLongPagesOfGroupsAreCut(t *testing.T) {
	slow.Test(t, "it writes pages of some megabytes")
	a := tenantOn(t, open(t), "acme", "generic")
	var all []string
	for i := range 12 {
		values := make([]string, 800)
		for j := range values {
			values[j] = fmt.Sprintf("%s-%d-%d", strings.Repeat("x", 500), i, j)
		}
		all = append(all, a.group(fmt.Sprintf("g%02d", i), values))
	}
	slices.Sort(all)
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"", "&sortBy=displayName", "&sortBy=id&sortOrder=descending"} {
		var seen []string
		var pages int
		for pages = 0; len(seen) < len(all) && pages < 20; pages++ {
			page := a.must(200, "GET", fmt.Sprintf("/Groups?startIndex=%d%s", len(seen)+1, query), "")
			for _, g := range page["Resources"].([]any) {
				if n := len(g.(object)["members"].([]any)); n != 800 {
					t.Errorf("%s: a group with %d members", query, n)
				}
			}
			seen = append(seen, ids(page)...)
		}
		if slices.Sort(seen); !slices.Equal(seen, all) || pages < 2 {
			t.Errorf("%s: %d pages hold %d of %d", query, pages, len(seen), len(all))
		}
	}
	if page := a.must(200, "GET", "/Groups?excludedAttributes=members", ""); len(ids(page)) != len(all) {
		t.Errorf("without members: %d of %d", len(ids(page)), len(all))
	}
}
