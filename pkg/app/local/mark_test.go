package local_test

import (
	"fmt"
	"slices"
	"testing"
)

// A kept page end is of the list that was read then: a list that has become another is counted from its beginning.
func TestAKeptPageEndDoesNotOutliveItsList(t *testing.T) {
	a := on(t, memory(t), "generic")
	for _, query := range []string{"", "&filter=userName+pr+and+active+eq+true", "&sortBy=userName"} {
		old := a.users(4)
		a.must(200, "GET", "/Users?count=1"+query, "")
		for _, id := range old {
			a.must(204, "DELETE", "/Users/"+id, "")
		}
		ids := a.users(3)
		if query != "&sortBy=userName" {
			slices.Sort(ids)
		}
		page := a.must(200, "GET", "/Users?startIndex=2&count=1"+query, "")
		first := page["Resources"].([]any)[0].(object)["id"]
		if first != ids[1] || page["totalResults"] != 3.0 {
			t.Errorf("%q: the second of %q is %v, of %v", query, ids, first, page["totalResults"])
		}
		for _, id := range ids {
			a.must(204, "DELETE", "/Users/"+id, "")
		}
	}
}

// namesFrom are the userNames of a page of users in order of name, beginning at a start index, and the total.
func (a *api) namesFrom(start, count int) (names []string, total int) {
	a.t.Helper()
	page := a.must(200, "GET", fmt.Sprintf("/Users?sortBy=userName&count=%d&startIndex=%d", count, start), "")
	for _, r := range page["Resources"].([]any) {
		names = append(names, r.(object)["userName"].(string))
	}
	return names, int(page["totalResults"].(float64))
}

// TestAWalkShowsNothingTwiceAfterItsLastPage: a user who came in front of a page that was shown is counted, so that the
// client asks for one page more, also if nothing changed just before the last page.
func TestAWalkShowsNothingTwiceAfterItsLastPage(t *testing.T) {
	a := on(t, memory(t), "generic")
	for i := range 6 {
		a.user(fmt.Sprintf("b%d", i))
	}
	shown, _ := a.namesFrom(1, 2)
	a.user("a")
	for len(shown) < 20 {
		names, total := a.namesFrom(len(shown)+1, 2)
		if shown = append(shown, names...); len(names) == 0 || len(shown) >= total {
			break
		}
	}
	if want := []string{"b0", "b1", "b2", "b3", "b4", "b5"}; !slices.Equal(shown, want) {
		t.Errorf("the walk shows %q, want %q", shown, want)
	}
}

// TestBackFromAnEmptyPage: if all that followed a page was deleted, the client still finds back.
func TestBackFromAnEmptyPage(t *testing.T) {
	a := on(t, memory(t), "generic")
	all := slices.Sorted(slices.Values(a.users(5)))
	for _, query := range []string{
		"/Users?count=4&cursor=", "/Users?count=4&filter=userName+pr+and+active+eq+true&cursor=",
	} {
		next := a.must(200, "GET", query, "")["nextCursor"].(string)
		a.must(204, "DELETE", "/Users/"+all[len(all)-1], "")
		page := a.must(200, "GET", query+next, "")
		if len(ids(page)) > 0 || page["nextCursor"] != nil {
			t.Fatalf("the last page: %v", page)
		}
		back, _ := page["previousCursor"].(string)
		if got := ids(a.must(200, "GET", query+back, "")); back == "" || !slices.Equal(got, all[:4]) {
			t.Errorf("back from the last page: %q, want %q", got, all[:4])
		}
		all = slices.Sorted(slices.Values(append(all[:4:4], a.user("again-"+fmt.Sprint(len(query))))))
	}
	if page := a.must(200, "GET", "/Users?cursor=&filter=userName+eq+%22nobody%22", ""); page["previousCursor"] != nil {
		t.Errorf("an empty list: %v", page)
	}
}
