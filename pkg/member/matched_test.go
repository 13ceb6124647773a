package member_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
)

// TestGroupsAreMatchedOnce counts how often rules are held against groups: once for each version of a group and of the
// policy, however many members are published or read.
func TestGroupsAreMatchedOnce(t *testing.T) {
	w := newWorld(t, teams)
	ctx := context.Background()
	var ids []string
	for n := range 250 { // several publications
		id, err := w.user(fmt.Sprint("u", n), nil)
		w.must(err)
		ids = append(ids, id)
	}
	staff, err := w.group("Staff", ids...)
	w.must(err)
	_, err = w.group("Others", ids[:100]...)
	w.must(err)
	var last int64
	matched := func(what string, want int64) {
		t.Helper()
		w.must(w.publish())
		for _, id := range ids[:20] {
			if _, found, err := w.s.Get(ctx, w.tenant, id); err != nil || !found {
				t.Fatalf("%s: found %v, error %v", id, found, err)
			}
			if _, _, err := w.s.Why(ctx, w.tenant, id); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.s.Matched() - last; n != want {
			t.Errorf("%s: groups were matched %d times, want %d", what, n, want)
		}
		last = w.s.Matched()
	}
	matched("at first", 2)
	matched("nothing changes", 0)
	w.must(w.patch(groupType, staff, op(patch.Replace, "displayName", "Team")))
	matched("one group is renamed", 1)
	w.must(w.patch(userType, ids[0], op(patch.Replace, "title", "t")))
	matched("a user changes", 0)
	w.must(w.setPolicy(teams+" ", 2))
	matched("the policy changes", 2)
	_, err = w.s.Rehearse(ctx, w.tenant, []byte(teams), "")
	w.must(err)
	matched("a policy is rehearsed", 2)
}
