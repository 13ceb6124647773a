package member_test

import (
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestMembersWhoseUserGoesLater: the item of a member who was removed while the user lived, by a merge or by the
// policy, stays for as long as the user does, and ends after the user's deletion.
func TestMembersWhoseUserGoesLater(t *testing.T) {
	for name, policy := range map[string]string{
		"merged":   "",
		"excluded": `{"members": {"exclude": {"users": "title eq \"Guest\""}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, policy)
			w.tenant.Retention = 10 * 24 * time.Hour
			id, err := w.user("ada", nil)
			w.must(err)
			other, err := w.user("bert", nil)
			w.must(err)
			w.must(w.publish())
			if policy == "" {
				_, err = w.s.Merge(t.Context(), w.tenant, id, other)
				w.must(err)
			} else {
				w.must(w.patch(userType, id, op(patch.Replace, "title", "Guest")))
				w.must(w.publish())
			}
			ends := func() bool {
				items, err := w.ts.Get(t.Context(), w.ts.Published(id))
				w.must(err)
				return items[0].Attrs[store.AttrTTL] != nil
			}
			if ends() {
				t.Error("the item ends while the user lives: it would be published anew")
			}
			w.must(w.remove(userType, id))
			w.must(w.publish())
			if !ends() {
				t.Error("the item has no end, though the user is gone")
			}
			if m, found, err := w.s.Get(t.Context(), w.tenant, id); err != nil || !found || m.Status != "removed" {
				t.Errorf("right behind: %v, found %t, error %v", m.Status, found, err)
			}
		})
	}
}
