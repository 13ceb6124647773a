package local_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
)

// spent is the consumption of a request in the store.
type spent struct {
	calls       int
	read, write float64
}

// metered starts a server whose answers state their cost.
func metered(t testing.TB) *local.Server {
	t.Helper()
	s, err := local.Open(t.Context(), costly())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// cost sends a GET that has to succeed and returns its consumption and its body.
func (a *api) cost(path string) (spent, string) {
	a.t.Helper()
	r := httptest.NewRequest("GET", a.base+path, nil)
	r.Header.Set("Authorization", "Bearer "+a.token)
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	var c spent
	if _, err := fmt.Sscanf(w.Header().Get("Scim-Cost"), "calls=%d, read=%f, write=%f", &c.calls, &c.read,
		&c.write); err != nil || w.Code != 200 {
		a.t.Fatalf("GET %s: status %d, Scim-Cost %q: %s", path, w.Code, w.Header().Get("Scim-Cost"), w.Body)
	}
	return c, w.Body.String()
}

// populate creates n users, 4 at a time, and returns their ids by number.
func (a *api) populate(n int) []string {
	a.t.Helper()
	ids := make([]string, n)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := worker; i < n; i += 4 {
				ids[i] = a.must(201, "POST", "/Users", fmt.Sprintf(
					`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"user-%06d","externalId":"e%d",`+
						`"title":"t%d","emails":[{"value":"m%d@example.com","type":"work"}]}`,
					i, i, i%2, i))["id"].(string)
			}
		})
	}
	wg.Wait()
	return ids
}

// walkCost walks a list by start index, 20 at a time, and returns the costs of the first page and of the last full
// one that another page follows.
func (a *api) walkCost(path string, n int) (first, late spent) {
	a.t.Helper()
	seen := map[string]bool{}
	for start := 1; start <= n; start += 20 {
		c, body := a.cost(fmt.Sprintf("%s&count=20&startIndex=%d", path, start))
		if start == 1 {
			first = c
		}
		if start+40 <= n {
			late = c
		}
		for _, part := range strings.Split(body, `"id":"`)[1:] {
			seen[part[:strings.IndexByte(part, '"')]] = true
		}
	}
	if len(seen) != n {
		a.t.Errorf("%s: a walk shows %d of %d", path, len(seen), n)
	}
	return first, late
}

// TestPagesCostTheSameInEveryTenant compares the calls and units of pages in a small tenant and in one six times its
// size.
func TestPagesCostTheSameInEveryTenant(t *testing.T) {
	slow.Test(t, "it counts the cost of reads over hundreds of resources")
	slow.NoRace(t)
	s := metered(t)
	single := []string{
		"/Users?count=20", "/Users?count=0", "/Users?count=20&excludedAttributes=groups",
		"/Users?count=20&sortBy=userName", "/Users?count=20&sortBy=userName&sortOrder=descending",
		"/Users?count=20&cursor=", "/Users?count=20&filter=id+pr",
		"/Users?filter=" + url.QueryEscape(`userName eq "user-000007"`),
		"/Users?filter=" + url.QueryEscape(`userName eq "nobody"`),
		"/Users?filter=" + url.QueryEscape(`externalId eq "e7" and title eq "t1"`),
		"/Users?filter=" + url.QueryEscape(`emails[type eq "work"].value eq "m7@example.com"`),
		"/Users?filter=" + url.QueryEscape(`userName sw "user-00000"`),
	}
	walks := []string{
		"/Users?excludedAttributes=groups", "/Users?sortBy=userName&excludedAttributes=groups", "/Users?a=b",
		"/Users?excludedAttributes=groups&sortBy=userName&sortOrder=descending",
	}
	costs := map[int]map[string]spent{}
	sizes := []int{200, 1200}
	for _, n := range sizes {
		a := tenantOn(t, s, fmt.Sprintf("size-%d", n), "generic")
		a.populate(n)
		costs[n] = map[string]spent{}
		for _, path := range single {
			costs[n][path], _ = a.cost(path)
		}
		for _, path := range walks {
			first, late := a.walkCost(path, n)
			costs[n]["first of "+path], costs[n]["late of "+path] = first, late
			// A later page reads the note of the end of the page before it.
			if late.calls != first.calls+1 || late.read > first.read+2 || late.write != first.write {
				t.Errorf("%s: the first page costs %+v, a late one %+v", path, first, late)
			}
		}
		active := "/Users?excludedAttributes=groups&filter=" + url.QueryEscape(`title eq "t1"`)
		// Every second user matches; how many have to be read until a page is full is a matter of chance, not of the
		// tenant's size. One call reads the counters that say whether the note of the end of the page before still
		// holds.
		if _, late := a.walkCost(active, n/2); late.calls > 6 || late.read > 30 || late.write != 1 {
			t.Errorf("a late page of an unindexed filter over %d users costs %+v", n, late)
		}
	}
	for _, what := range sorted(costs[sizes[0]]) {
		small, large := costs[sizes[0]][what], costs[sizes[1]][what]
		t.Logf("%-110s %+v", what, large)
		if small.calls != large.calls || large.read > small.read+1 || small.write != large.write {
			t.Errorf("%s: %+v of %d users, %+v of %d", what, small, sizes[0], large, sizes[1])
		}
	}
	got := costs[sizes[1]]
	for what, most := range map[string]spent{
		// The token, then the look-up, then the user beside its memberships and the open work.
		single[7]: {5, 5, 0},
		single[8]: {2, 2, 0},
	} {
		if c := got[what]; c.calls > most.calls || c.read > most.read || c.write > most.write {
			t.Errorf("%s costs %+v, at most %+v is due", what, c, most)
		}
	}
}

// TestListsOfGroupsReadMembersByRange checks that the members of a page of groups are read together, and not at all
// if they are not asked for.
func TestListsOfGroupsReadMembersByRange(t *testing.T) {
	a := tenantOn(t, metered(t), "acme", "generic")
	users := a.populate(30)
	want := map[string][]string{}
	for i := range 40 {
		id := a.group(fmt.Sprintf("group-%02d", i), users[:i%30])
		want[id] = slices.Sorted(slices.Values(users[:i%30]))
	}
	without, _ := a.cost("/Groups?excludedAttributes=members")
	with, _ := a.cost("/Groups")
	if with.calls != without.calls+2 { // the members, and the open work
		t.Errorf("without members %+v, with members %+v", without, with)
	}
	if none, _ := a.cost("/Groups?attributes=displayName"); none != without {
		t.Errorf("without members %+v, with attributes %+v", without, none)
	}
	check := func(page object, n int) {
		t.Helper()
		got := page["Resources"].([]any)
		if len(got) != n || page["totalResults"] != 40.0 {
			t.Errorf("%d groups of %v, want %d", len(got), page["totalResults"], n)
		}
		for _, g := range got {
			var values []string
			for _, m := range g.(object)["members"].([]any) {
				values = append(values, m.(object)["value"].(string))
			}
			if id := g.(object)["id"].(string); !slices.Equal(values, want[id]) {
				t.Errorf("group %s has members %q, want %q", id, values, want[id])
			}
		}
	}
	check(a.must(200, "GET", "/Groups", ""), 40)
	check(a.must(200, "GET", "/Groups?sortBy=id&sortOrder=descending&count=20", ""), 20)
	check(a.must(200, "GET", "/Groups?sortBy=displayName&count=20&startIndex=31", ""), 10)
	check(a.must(200, "GET", "/Groups?sortBy=members&count=20", ""), 20)
	found := a.must(200, "GET", "/Groups?filter="+url.QueryEscape(fmt.Sprintf("members.value eq %q", users[28])), "")
	if found["totalResults"] != 1.0 {
		t.Errorf("%v groups have the last user", found["totalResults"])
	}
	for _, path := range []string{
		"members.value eq %q", "members[value eq %q]", "members eq %q",
		"members.value eq %q and id pr",
	} {
		last := a.must(200, "GET", "/Groups?sortBy=displayName&sortOrder=descending&count=1", "")
		id := last["Resources"].([]any)[0].(object)["id"].(string)
		filter := fmt.Sprintf(path, users[0]) + fmt.Sprintf(" and id eq %q", id)
		c, body := a.cost("/Groups?excludedAttributes=members&filter=" + url.QueryEscape(filter))
		if !strings.Contains(body, id) || c.calls > 6 {
			t.Errorf("%s: %+v %s", path, c, body)
		}
	}
}

// TestSearchesByDisplayReadByRange: a filter on values that only members hold looks at all, but reads the
// memberships of those who follow each other together. Those in groups that have changed within the last minute are
// read once more: their memberships and the groups must be of one moment.
func TestSearchesByDisplayReadByRange(t *testing.T) {
	slow.Test(t, "it counts the cost of reads over hundreds of resources")
	slow.NoRace(t)
	a := tenantOn(t, metered(t), "acme", "generic")
	users := a.populate(300)
	var groups []string
	for i := range 300 {
		groups = append(groups, a.group(fmt.Sprintf("group-%03d", i), users[i:min(i+3, len(users))]))
	}
	fresh, _ := a.cost("/Users?filter=" + url.QueryEscape(`groups.display eq "group-100"`))
	if most := 3 * callsByRange(users, 3); fresh.calls > most {
		t.Errorf("right after the groups were made: %+v, want at most %d calls", fresh, most)
	}
	operator{t, a.s}.to(time.Now().Add(2 * time.Minute))
	for _, c := range []struct {
		path, filter string
		want         []string
	}{
		{"/Users", `groups.display eq "group-100"`, users[100:103]},
		{"/Users", `groups.display sw "group-29"`, users[290:]},
		{"/Users", `groups[display eq "group-100" or display eq "group-102"]`, users[100:105]},
		{"/Groups", `members.display eq "user-000100"`, groups[98:101]},
		{"/Groups", `members[display sw "user-00029" and type eq "User"]`, groups[288:]},
		{"/Groups", `members.display eq "user-000100" and displayName sw "group-"`, groups[98:101]},
	} {
		query := c.path + "?filter=" + url.QueryEscape(c.filter)
		for _, order := range []string{"", "&sortBy=id&sortOrder=descending"} {
			cost, _ := a.cost(query + order)
			got := slices.Sorted(slices.Values(ids(a.must(200, "GET", query+order, ""))))
			if want := slices.Sorted(slices.Values(c.want)); !slices.Equal(got, want) {
				t.Errorf("%s %s%s: %d found, want %d", c.path, c.filter, order, len(got), len(want))
			}
			most := callsByRange(users, 3)
			if c.path == "/Groups" {
				most = callsByRange(groups, 0)
			}
			most += 1 + len(c.want) + 2 // the token; the items of those found, the open work, and names
			if !strings.Contains(c.filter, ` sw "group-"`) && cost.calls > most {
				t.Errorf("%s %s%s costs %+v, want at most %d calls", c.path, c.filter, order, cost, most)
			}
		}
	}
}

// TestReadsCostTheSameBehindDeletions: that many users in groups were deleted a moment ago is nothing that others pay
// for.
func TestReadsCostTheSameBehindDeletions(t *testing.T) {
	slow.Test(t, "it counts the cost of reads over hundreds of resources")
	slow.NoRace(t)
	a := tenantOn(t, metered(t), "acme", "generic")
	users := a.populate(121)
	staff := a.group("staff", users)
	a.group("others", users[:60])
	paths := []string{
		"/Users/" + users[120], "/Groups/" + staff + "?excludedAttributes=members",
		"/Users?filter=" + url.QueryEscape(`userName eq "user-000120"`),
	}
	before := make([]spent, len(paths))
	for i, path := range paths {
		before[i], _ = a.cost(path)
	}
	for _, id := range users[:120] {
		a.must(204, "DELETE", "/Users/"+id, "")
	}
	for i, path := range paths {
		if after, _ := a.cost(path); after != before[i] {
			t.Errorf("%s costs %+v, behind deletions %+v", path, before[i], after)
		}
	}
	if left := a.must(200, "GET", "/Groups/"+staff, "")["members"].([]any); len(left) != 1 {
		t.Errorf("%d members are left, want 1", len(left))
	}
}

// callsByRange is how many calls a search of resources with these random ids may take. Ids are read in ranges by
// their first digit: for each, those who are in it, their items, by one range read or for eight or fewer one by one,
// the open work, and the names of up to so many others for each, 100 at a time.
func callsByRange(ids []string, names int) (calls int) {
	in := map[byte]int{}
	for _, id := range ids {
		in[id[0]]++
	}
	for _, digit := range []byte("0123456789abcdef") {
		n := in[digit]
		belong := 1
		if n <= 8 {
			belong = n
		}
		calls += 1 + belong + 1 + (names*n+99)/100
	}
	return calls
}

// TestADeletionDoesNotDoubleAPage: that somebody was deleted a moment ago is no reason to read the groups of others
// twice.
func TestADeletionDoesNotDoubleAPage(t *testing.T) {
	a := tenantOn(t, metered(t), "acme", "generic")
	users := a.populate(41)
	staff := a.group("staff", users[21:])
	const path = "/Users?count=20&sortBy=userName"
	before, _ := a.cost(path)
	a.must(204, "DELETE", "/Users/"+users[40], "")
	if after, _ := a.cost(path); after.calls > before.calls {
		t.Errorf("%+v before a deletion, %+v behind it", before, after)
	}
	a.must(204, "DELETE", "/Groups/"+staff, "")
	for _, r := range a.must(200, "GET", path, "")["Resources"].([]any) {
		if groups := r.(object)["groups"]; groups != nil {
			t.Fatalf("a deleted group is shown: %v", groups)
		}
	}
}
