package directory_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
)

// FuzzMembershipID: whatever stands in the place of an id is that of the one membership there is, or of none.
func FuzzMembershipID(f *testing.F) {
	w := in(f)
	made, err := w.dir.Create(f.Context(), w.tenant, membership,
		parse(f, fmt.Sprintf(`{"group":{"value":%q},"member":{"value":%q}}`, w.group("g"), w.user("ann"))), nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, id := range []string{
		made.ID, made.ID[1:], made.ID + "A", strings.ToLower(made.ID), "", "A",
		strings.Repeat("A", 24), strings.Repeat("_", 2000), "\x00",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		want := 404
		if id == made.ID {
			want = 200
		}
		if _, err := w.dir.Get(t.Context(), w.tenant, membership, id, nil); status(err) != want {
			t.Errorf("%q: %v", id, err)
		}
		err := w.dir.Delete(t.Context(), w.tenant, membership, id, []string{"none"})
		if want == 404 && status(err) != 404 {
			t.Errorf("%q: %v", id, err)
		}
	})
}

// TestMembershipsOfWhoWasDeleted: a user who was in many groups is in none at once, though the traces are removed
// later.
func TestMembershipsOfWhoWasDeleted(t *testing.T) {
	w := in(t)
	ann, bob := w.user("ann"), w.user("bob")
	groups, links := make([]string, 60), make([]string, 60)
	for i := range groups {
		groups[i] = w.group(fmt.Sprintf("g%02d", i), ann, bob)
		e, err := filter.Parse(fmt.Sprintf("group.value eq %q and member.value eq %q", groups[i], ann),
			w.tenant.Dialect)
		w.ok(nil, err)
		found, err := w.dir.List(t.Context(), w.tenant, membership, directory.ListQuery{
			Filter: e, StartIndex: 1, Count: 1,
		})
		w.ok(nil, err)
		links[i] = found.Resources[0].ID
	}
	w.ok(nil, w.dir.Delete(t.Context(), w.tenant, user, ann, nil))
	if !w.background() {
		t.Fatal("nothing was left for the background")
	}
	for i, g := range groups {
		w.ok(nil, w.memberships(fmt.Sprintf("group.value eq %q", g), 1)(t.Context()))
		if _, err := w.dir.Get(t.Context(), w.tenant, membership, links[i], nil); status(err) != 404 {
			t.Errorf("a membership of who was deleted is read: %v", err)
		}
		if err := w.dir.Delete(t.Context(), w.tenant, membership, links[i], nil); status(err) != 404 {
			t.Errorf("a membership of who was deleted is deleted: %v", err)
		}
	}
	w.ok(nil, w.memberships(fmt.Sprintf("member.value eq %q", ann), 0)(t.Context()))
	w.ok(nil, w.memberships(fmt.Sprintf("member.value eq %q and group.display sw \"g0\"", bob), 10)(t.Context()))
	w.ok(nil, w.dir.Delete(t.Context(), w.tenant, group, groups[0], nil))
	w.ok(nil, w.memberships(fmt.Sprintf("group.value eq %q", groups[0]), 0)(t.Context()))
	w.settled()
	w.ok(nil, w.memberships(fmt.Sprintf("group.value eq %q", groups[1]), 1)(t.Context()))
}
