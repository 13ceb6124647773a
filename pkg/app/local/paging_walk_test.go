package local_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

// TestWalksUnderConcurrentWrites walks lists with cursors and by start index while others create, change and delete
// users: each user that exists throughout, and whose sort value stays, is seen exactly once.
func TestWalksUnderConcurrentWrites(t *testing.T) {
	a := tenantOn(t, open(t), "acme", "generic")
	stay := a.populate(150)
	for i := range 10 {
		a.group(fmt.Sprintf("group-%d", i), stay[i*10:i*10+10])
	}
	// Each page lets the writers go on for a while: how much changes between two pages must not hang on how busy the
	// machine is.
	turns := make(chan int, 16)
	var turn atomic.Int64
	a.eachPage = func() {
		for range cap(turns) {
			select {
			case turns <- int(turn.Add(1)):
			default:
				return
			}
		}
	}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			var mine []string
			for i := range turns {
				id := a.user(fmt.Sprintf("User-%06d-%d-%d", rand.IntN(150), w, i))
				mine = append(mine, id)
				a.must(200, "PATCH", "/Users/"+id, patchBody(fmt.Sprintf(`{"op":"replace","path":"title","value":"t%d"}`, i%2)))
				a.must(200, "PATCH", "/Users/"+stay[rand.IntN(len(stay))],
					patchBody(fmt.Sprintf(`{"op":"replace","path":"nickName","value":"n%d"}`, i)))
				if len(mine) > 3 {
					n := rand.IntN(len(mine))
					a.must(204, "DELETE", "/Users/"+mine[n], "")
					mine = slices.Delete(mine, n, n+1)
				}
			}
		})
	}
	defer writers.Wait()
	defer close(turns)
	for _, query := range []string{
		"", "sortBy=userName", "sortBy=userName&sortOrder=descending", "sortBy=title",
		"sortBy=externalId&sortOrder=descending",
		"filter=" + url.QueryEscape(`title pr`), "filter=" + url.QueryEscape(`title pr`) + "&sortBy=userName",
		"filter=" + url.QueryEscape(`userName sw "user-0"`),
	} {
		for _, method := range []string{"cursor", "back", "index"} {
			seen := a.walkAll(query, method)
			for _, id := range stay {
				if seen[id] != 1 {
					t.Errorf("%q by %s shows a user %d times who exists throughout", query, method, seen[id])
				}
			}
		}
	}
}

// walkAll walks a list and counts how often it shows each resource. With "back" it walks to the end, and counts on the
// way back.
func (a *api) walkAll(query, method string) map[string]int {
	seen, cursor, start := map[string]int{}, "", 1
	var page object
	for {
		where := "&cursor=" + cursor
		if method == "index" {
			where = fmt.Sprintf("&startIndex=%d", start)
		}
		page = a.must(200, "GET", "/Users?excludedAttributes=groups&count=23&"+query+where, "")
		if a.eachPage != nil {
			a.eachPage()
		}
		for _, id := range ids(page) {
			seen[id]++
			start++
		}
		cursor, _ = page["nextCursor"].(string)
		if method != "index" && cursor == "" || method == "index" &&
			(len(ids(page)) == 0 || float64(start) > page["totalResults"].(float64)) {
			break
		}
	}
	if method != "back" {
		return seen
	}
	clear(seen)
	for {
		for _, id := range ids(page) {
			seen[id]++
		}
		if cursor, _ = page["previousCursor"].(string); cursor == "" {
			return seen
		}
		page = a.must(200, "GET", "/Users?excludedAttributes=groups&count=23&"+query+"&cursor="+cursor, "")
	}
}

// refusal is the scimType of a request that has to be a 400.
func (a *api) refusal(path string) string {
	a.t.Helper()
	kind, _ := a.must(400, "GET", path, "")["scimType"].(string)
	return kind
}

func TestCursorsAreBound(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	var ahead atomic.Int64
	o := quiet()
	o.Now = func() time.Time { return now.Add(time.Duration(ahead.Load())) }
	s, err := local.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a, b := tenantOn(t, s, "acme", "generic"), tenantOn(t, s, "other", "generic")
	for _, tenant := range []*api{a, b} {
		tenant.users(5)
		for i := range 5 {
			tenant.group(fmt.Sprintf("g%d", i), nil)
		}
	}
	first := a.must(200, "GET", "/Users?count=2&cursor&sortBy=userName", "")
	next := first["nextCursor"].(string)
	if strings.Contains(next, "user") || first["previousCursor"] != nil {
		t.Errorf("cursor %q, previous %v", next, first["previousCursor"])
	}
	a.must(200, "GET", "/Users?count=2&sortBy=userName&cursor="+next, "")
	a.must(200, "GET", "/Users?count=1&attributes=userName&sortBy=userName&startIndex=x&cursor="+next, "")
	for path, want := range map[string]string{
		"/Users?count=2&cursor=" + next:                                                      "invalidCursor",
		"/Users?count=2&sortBy=userName&sortOrder=descending&cursor=" + next:                 "invalidCursor",
		"/Users?count=2&sortBy=userName&filter=id+pr&cursor=" + next:                         "invalidCursor",
		"/Groups?count=2&sortBy=displayName&cursor=" + next:                                  "invalidCursor",
		"/Users?count=2&sortBy=userName&cursor=" + next[1:]:                                  "invalidCursor",
		"/Users?count=2&sortBy=userName&cursor=" + next + "A":                                "invalidCursor",
		"/Users?count=2&sortBy=userName&cursor=x":                                            "invalidCursor",
		"/Users?count=2&sortBy=userName&cursor=%2F..%2F":                                     "invalidCursor",
		"/Users?count=2&sortBy=userName&cursor=" + strings.Repeat("A", 5000):                 "invalidCursor",
		"/Users?cursor=&count=x":                                                             "invalidCount",
		"/Users?cursor=&count=1.5":                                                           "invalidCount",
		"/Users?sortBy=password":                                                             "invalidPath",
		"/Users?sortBy=PASSWORD&cursor=":                                                     "invalidPath",
		"/Users?sortBy=urn:ietf:params:scim:schemas:core:2.0:User:password":                  "invalidPath",
		"/Users?sortBy=nonsense":                                                             "invalidPath",
		"/Users?sortBy=name":                                                                 "invalidPath",
		"/Users?sortBy=" + enterpriseURN:                                                     "invalidPath",
		"/Users?sortOrder=down&sortBy=userName":                                              "invalidValue",
		"/Users?filter=" + url.QueryEscape(`password pr`):                                    "invalidFilter",
		"/Users?cursor=&filter=" + url.QueryEscape(`id pr or password sw "a"`):               "invalidFilter",
		"/Users?filter=" + url.QueryEscape(`meta.resourceType eq "Group" and password pr`):   "invalidFilter",
		"/Users?filter=" + url.QueryEscape(`meta.resourceType eq "User" or password eq "x"`): "invalidFilter",
	} {
		if got := a.refusal(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := b.refusal("/Users?count=2&sortBy=userName&cursor=" + next); got != "invalidCursor" {
		t.Errorf("another tenant's cursor: %s", got)
	}
	if page := a.must(200, "GET", "/Users?cursor=&count=-3", ""); len(ids(page)) != 0 || page["totalResults"] != 5.0 ||
		page["nextCursor"] != nil {
		t.Errorf("a count below 0: %v", page)
	}
	page := a.must(200, "GET", "/Users?cursor=&count=99999999", "")
	if len(ids(page)) != 5 || page["nextCursor"] != nil {
		t.Errorf("a count above the largest page: %v", page)
	}
	ahead.Store(int64(time.Hour))
	a.must(200, "GET", "/Users?count=2&sortBy=userName&cursor="+next, "")
	ahead.Store(int64(time.Hour + time.Second))
	if got := a.refusal("/Users?count=2&sortBy=userName&cursor=" + next); got != "expiredCursor" {
		t.Errorf("an old cursor: %s", got)
	}
	lenient := tenantOn(t, s, "entra", "entra")
	for path, words := range map[string]string{
		"/Users?sortBy=password":                          "it is never returned.",
		"/Users?filter=" + url.QueryEscape(`password pr`): "it is never returned.",
		"?filter=" + url.QueryEscape(`nonesuch pr`): `names "nonesuch", which is not an attribute of ` +
			`any resource type.`,
		"?filter=" + url.QueryEscape(`userName pr and not (nonesuch pr)`): `names "nonesuch", which is not an attribute of ` +
			`any resource type.`,
		"?sortBy=nonesuch": `names "nonesuch", which is not an attribute of any resource type.`,
		"/Users?filter=" + url.QueryEscape(`emails[type eq "x" and a pr]`): `which is not a sub-attribute of "emails".`,
	} {
		if detail, _ := lenient.must(400, "GET", path, "")["detail"].(string); !strings.Contains(detail, words) {
			t.Errorf("%s: %q, want %q", path, detail, words)
		}
	}
	for _, by := range []string{"nonsense", "password", "PASSWORD&sortOrder=descending", "nonsense&cursor="} {
		if got := lenient.refusal("/Users?sortBy=" + by); got != "invalidPath" {
			t.Errorf("sortBy=%s in an identity provider's profile: %s", by, got)
		}
	}
}

// TestAPageGoesOnWhereTheOneBeforeEnded deletes the resources of a first page: the next page, by start index, leaves
// nothing out, for ten minutes.
func TestAPageGoesOnWhereTheOneBeforeEnded(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	var ahead atomic.Int64
	o := quiet()
	o.Now = func() time.Time { return now.Add(time.Duration(ahead.Load())) }
	s, err := local.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a := tenantOn(t, s, "acme", "generic")
	all := slices.Sorted(slices.Values(a.users(10)))
	first := ids(a.must(200, "GET", "/Users?count=4", ""))
	a.must(204, "DELETE", "/Users/"+first[0], "")
	a.must(204, "DELETE", "/Users/"+first[2], "")
	if got := ids(a.must(200, "GET", "/Users?count=4&startIndex=5", "")); !slices.Equal(got, all[4:8]) {
		t.Errorf("the second page is %q, want %q", got, all[4:8])
	}
	page := a.must(200, "GET", "/Users?count=4&startIndex=9", "")
	if !slices.Equal(ids(page), all[8:]) || page["totalResults"] != 8.0 {
		t.Errorf("the last page is %q of %v, want %q", ids(page), page["totalResults"], all[8:])
	}
	a.user("late-1")
	a.user("late-2")
	a.user("late-3")
	all = nil
	for _, u := range a.must(200, "GET", "/Users", "")["Resources"].([]any) {
		all = append(all, u.(object)["id"].(string))
	}
	first = ids(a.must(200, "GET", "/Users?count=4", ""))
	a.user("late-4")
	last := a.must(200, "GET", "/Users?count=100&startIndex=5", "")
	if n := len(ids(last)); last["totalResults"] != 12.0 || n < 7 || slices.Contains(ids(last), first[3]) {
		t.Errorf("the last page holds %d of %v", n, last["totalResults"])
	} else if n == 7 {
		if beyond := ids(a.must(200, "GET", "/Users?count=100&startIndex=12", "")); len(beyond) != 0 {
			t.Errorf("behind the last page of a walk: %q", beyond)
		}
	}
	a.must(204, "DELETE", "/Users/"+
		a.must(200, "GET", "/Users?filter="+url.QueryEscape(`userName eq "late-4"`), "")["Resources"].([]any)[0].(object)["id"].(string), "")
	ahead.Store(int64(10*time.Minute + time.Second))
	if got := ids(a.must(200, "GET", "/Users?count=4&startIndex=5", "")); !slices.Equal(got, all[4:8]) {
		t.Errorf("after ten minutes, from 5: %q, want %q", got, all[4:8])
	}
}

// TestPlansAreExplained reads the plans in the debug log: they name attributes, and no value.
func TestPlansAreExplained(t *testing.T) {
	var log lines
	o := quiet()
	o.Log, o.LogLevel = &log, slog.LevelDebug
	s, err := local.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a := tenantOn(t, s, "acme", "generic")
	for query, want := range map[string]string{
		"":                               "User: all; order of ids",
		"sortBy=userName":                "User: all; order of names",
		"sortBy=title":                   "User: read all; sort by title",
		`filter=title eq "Confidential"`: "User: read all, test each; order of ids",
		`filter=userName eq "Confidential" and title pr`:                                                    "User: look up userName eq, test each; order of ids",
		`filter=externalId eq "Confidential" or emails.value eq "c@example.com"`:                            "User: look up (externalId eq or emails.value eq); order of ids",
		`filter=externalId eq "Confidential" and emails eq "c"&sortOrder=descending&sortBy=name.familyName`: "User: look up (externalId eq and emails eq); sort by name.familyname, descending",
		`filter=meta.resourceType eq "Group" and title eq "Confidential"`:                                   "nothing can match; order of ids",
	} {
		filter, rest, _ := strings.Cut(strings.TrimPrefix(query, "filter="), "&")
		path := "/Users?" + query
		if strings.HasPrefix(query, "filter=") {
			path = "/Users?filter=" + url.QueryEscape(filter) + "&" + rest
		}
		a.must(200, "GET", path, "")
		if !strings.Contains(log.String(), `plan="`+want+`"`) {
			t.Errorf("%s: no plan %q", query, want)
		}
	}
	if t.Failed() {
		for line := range strings.SplitSeq(log.String(), "\n") {
			if strings.Contains(line, "plan=") {
				t.Log(line)
			}
		}
	}
	if strings.Contains(log.String(), "Confidential") || strings.Contains(log.String(), "c@example.com") {
		t.Error("a value of a filter is in the log")
	}
}
