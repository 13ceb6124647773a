package local_test

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// somebody draws a user from few values, so that many are equal.
func somebody(t *rapid.T, name string) string {
	fields := []string{fmt.Sprintf(`"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q`, name)}
	maybe := func(format string, values ...string) {
		if v := rapid.SampledFrom(append(values, "")).Draw(t, "value"); v != "" {
			fields = append(fields, fmt.Sprintf(format, v))
		}
	}
	maybe(`"title":%q`, "a", "B", "b", "\u00e9", "Z", "10", "9")
	maybe(`"externalId":%q`, "x", "X", "y", "ya")
	maybe(`"active":%s`, "true", "false")
	maybe(`"name":{"familyName":%q}`, "Lee", "lee", "Ng", "O'Neil")
	maybe(`"emails":[{"value":"first@example.com","type":"home"},{"value":%q,"type":"work","primary":true}]`,
		"a@example.com", "A@example.com", "b@example.com")
	maybe(`"`+enterpriseURN+`":{"department":%q}`, "dev", "Ops", "ops")
	return "{" + strings.Join(fields, ",") + "}"
}

// at returns the value at a path of an object, nil if there is none; of several values the primary one.
func at(v any, path ...string) any {
	for _, p := range path {
		if list, several := v.([]any); several {
			i := slices.IndexFunc(list, func(e any) bool { o, _ := e.(object); return o["primary"] == true })
			v = list[max(i, 0)]
		}
		o, _ := v.(object)
		v = o[p]
	}
	return v
}

// sortings are sortBy values, each with a function that returns the value to compare, in a form that Go compares.
var sortings = map[string]func(object) any{
	"":                            nil,
	"id":                          func(u object) any { return u["id"] },
	"userName":                    func(u object) any { return folded(u["userName"]) },
	"USERNAME":                    func(u object) any { return folded(u["userName"]) },
	"title":                       func(u object) any { return folded(u["title"]) },
	"externalId":                  func(u object) any { return u["externalId"] },
	"active":                      func(u object) any { return order(u["active"]) },
	"name.familyName":             func(u object) any { return folded(at(u, "name", "familyName")) },
	"emails":                      func(u object) any { return folded(at(u, "emails", "value")) },
	"emails.type":                 func(u object) any { return folded(at(u, "emails", "type")) },
	enterpriseURN + ":department": func(u object) any { return folded(at(u, enterpriseURN, "department")) },
	"meta.created": func(u object) any {
		t, err := time.Parse(time.RFC3339, at(u, "meta", "created").(string))
		if err != nil {
			panic(err)
		}
		return t.UTC().Format("2006-01-02T15:04:05.000000000")
	},
	"meta.resourceType": func(u object) any { return at(u, "meta", "resourceType") },
}

func folded(v any) any {
	if s, ok := v.(string); ok {
		return strings.ToUpper(strings.ReplaceAll(s, "\u00e9", "\u00c9"))
	}
	return nil
}

func order(v any) any {
	switch v {
	case true:
		return "1"
	case false:
		return "0"
	}
	return nil
}

// filters are filters, each with a function that reports whether a resource matches.
var filters = map[string]func(object) bool{
	"":                     func(object) bool { return true },
	`id pr`:                func(object) bool { return true },
	`active eq true`:       func(u object) bool { return u["active"] == true },
	`not (active eq true)`: func(u object) bool { return u["active"] != true },
	`title eq "b"`:         func(u object) bool { return folded(u["title"]) == "B" },
	`externalId eq "x"`:    func(u object) bool { return u["externalId"] == "x" },
	`externalId sw "y"`: func(u object) bool {
		s, _ := u["externalId"].(string)
		return strings.HasPrefix(s, "y")
	},
	`userName sw "U1"`: func(u object) bool {
		return strings.HasPrefix(u["userName"].(string), "u1")
	},
	`userName sw "u" and title pr`: func(u object) bool { return u["title"] != nil },
	`externalId eq "x" or title eq "a"`: func(u object) bool {
		return u["externalId"] == "x" || u["title"] == "a"
	},
	`externalId eq "x" or userName eq "U3"`: func(u object) bool {
		return u["externalId"] == "x" || u["userName"] == "u3"
	},
	`emails.value eq "a@example.com"`: func(u object) bool {
		return folded(at(u, "emails", "value")) == "A@EXAMPLE.COM"
	},
	`emails[type eq "work" and value eq "b@example.com"]`: func(u object) bool {
		return at(u, "emails", "value") == "b@example.com"
	},
	`emails[type eq "home"].value eq "b@example.com"`: func(object) bool { return false },
	`externalId eq "x" and externalId eq "X"`:         func(object) bool { return false },
	`meta.resourceType eq "Group"`:                    func(object) bool { return false },
	`name.familyName co "e"`: func(u object) bool {
		s, _ := folded(at(u, "name", "familyName")).(string)
		return strings.Contains(s, "E")
	},
}

// expected is the expected result of a query, by a sort that knows nothing but the values.
func expected(all []object, filter, by string, descending bool) []string {
	var found []object
	for _, u := range all {
		if filters[filter](u) {
			found = append(found, u)
		}
	}
	key := sortings[by]
	slices.SortFunc(found, func(a, b object) int {
		c := 0
		if key != nil {
			x, xok := key(a).(string)
			y, yok := key(b).(string)
			switch {
			case xok && yok:
				c = cmp.Compare(x, y)
			case xok:
				c = -1
			case yok:
				c = 1
			}
		}
		c = cmp.Or(c, cmp.Compare(a["id"].(string), b["id"].(string)))
		if descending && key != nil {
			return -c
		}
		return c
	})
	ids := make([]string, len(found))
	for i, u := range found {
		ids[i] = u["id"].(string)
	}
	return ids
}

func ids(page object) []string {
	out := []string{}
	for _, r := range page["Resources"].([]any) {
		out = append(out, r.(object)["id"].(string))
	}
	return out
}

// TestPagesAgreeWithANaiveModel holds pages by index, marks and cursors, in all orders and with all kinds of plans,
// against a simple sort of all users (RFC 7644, sections 3.4.2.3 and 3.4.2.4; RFC 9865).
func TestPagesAgreeWithANaiveModel(t *testing.T) {
	s := open(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		a := tenantOn(t, s, fmt.Sprintf("model-%d", n), "generic")
		for i := range rapid.IntRange(0, 25).Draw(rt, "users") {
			a.must(201, "POST", "/Users", somebody(rt, fmt.Sprintf("u%d", i)))
		}
		var all []object
		for _, r := range a.must(200, "GET", "/Users?count=1000", "")["Resources"].([]any) {
			all = append(all, r.(object))
		}
		for range 6 {
			by := rapid.SampledFrom(sorted(sortings)).Draw(rt, "sortBy")
			filter := rapid.SampledFrom(sorted(filters)).Draw(rt, "filter")
			descending := rapid.Bool().Draw(rt, "descending")
			query := url.Values{"excludedAttributes": {"groups"}}
			if by != "" {
				query.Set("sortBy", by)
			}
			if filter != "" {
				query.Set("filter", filter)
			}
			if descending {
				query.Set("sortOrder", "descending")
			}
			want := expected(all, filter, by, descending)
			jump := rapid.IntRange(1, 30).Draw(rt, "startIndex")
			count := rapid.IntRange(1, 9).Draw(rt, "count")
			a.jump(rt, query, want, jump, count)
			a.walk(rt, query, want, count)
			a.jump(rt, query, want, jump, count)
			a.cursors(rt, query, want, count)
		}
	})
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (a *api) page(query url.Values, more ...string) object {
	a.t.Helper()
	q := url.Values{}
	for k, v := range query {
		q[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return a.must(200, "GET", "/Users?"+q.Encode(), "")
}

func (a *api) jump(t *rapid.T, query url.Values, want []string, start, count int) {
	page := a.page(query, "startIndex", fmt.Sprint(start), "count", fmt.Sprint(count))
	from := min(start-1, len(want))
	if got := ids(page); !slices.Equal(got, want[from:min(from+count, len(want))]) ||
		page["totalResults"] != float64(len(want)) {
		t.Fatalf("%v from %d, %d of them:\ngot  %q of %v\nwant %q", query, start, count, got,
			page["totalResults"], want)
	}
	if page["startIndex"] != float64(start) || page["nextCursor"] != nil || page["previousCursor"] != nil {
		t.Fatalf("startIndex %v, cursors %v and %v", page["startIndex"], page["nextCursor"], page["previousCursor"])
	}
}

func (a *api) walk(t *rapid.T, query url.Values, want []string, count int) {
	var got []string
	for {
		page := a.page(query, "startIndex", fmt.Sprint(len(got)+1), "count", fmt.Sprint(count))
		found := ids(page)
		got = append(got, found...)
		if page["totalResults"] != float64(len(want)) {
			t.Fatalf("%v: totalResults %v, want %d", query, page["totalResults"], len(want))
		}
		if len(found) < count || len(got) > len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%v by %d:\ngot  %q\nwant %q", query, count, got, want)
	}
}

func (a *api) cursors(t *rapid.T, query url.Values, want []string, count int) {
	cursor, pages := "", [][]string{}
	var page object
	for {
		page = a.page(query, "cursor", cursor, "count", fmt.Sprint(count))
		pages = append(pages, ids(page))
		if page["totalResults"] != float64(len(want)) || page["startIndex"] != nil {
			t.Fatalf("%v: totalResults %v, startIndex %v, want %d", query, page["totalResults"],
				page["startIndex"], len(want))
		}
		if cursor, _ = page["nextCursor"].(string); cursor == "" {
			break
		}
		if strings.Trim(cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("cursor %q", cursor)
		}
	}
	if got := slices.Concat(pages...); !slices.Equal(got, want) || len(pages) > 1 && len(pages[len(pages)-1]) == 0 {
		t.Fatalf("%v by %d with cursors:\ngot  %q\nwant %q", query, count, pages, want)
	}
	for i := len(pages) - 2; i >= 0; i-- {
		back, _ := page["previousCursor"].(string)
		if back == "" {
			t.Fatalf("page %d of %d has no previousCursor", i+2, len(pages))
		}
		if page = a.page(query, "cursor", back, "count", fmt.Sprint(count)); !slices.Equal(ids(page), pages[i]) {
			t.Fatalf("%v: back on page %d: %q, want %q", query, i+1, ids(page), pages[i])
		}
		next, _ := page["nextCursor"].(string)
		if again := a.page(query, "cursor", next, "count", fmt.Sprint(count)); !slices.Equal(ids(again), pages[i+1]) {
			t.Fatalf("%v: forth again on page %d: %q, want %q", query, i+2, ids(again), pages[i+1])
		}
	}
	if page["previousCursor"] != nil {
		t.Fatalf("%v: the first page has a previousCursor", query)
	}
}

// tenantOn creates a tenant on a server.
func tenantOn(t testing.TB, s *local.Server, id, idp string) *api {
	t.Helper()
	_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: id, Name: id, IdP: idp})
	if err != nil {
		t.Fatal(err)
	}
	return &api{t: t, s: s, h: s.Handler(), base: "http://scim.example.com/scim/v2/" + id, token: token.Value}
}
