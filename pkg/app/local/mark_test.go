package local_test

import (
	"slices"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// A kept page end is of the list that was read then: a list that has become another is counted from its beginning.
func TestAKeptPageEndDoesNotOutliveItsList(t *testing.T) {
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	a := on(t, engine, "generic")
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
