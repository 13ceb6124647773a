package member_test

import (
	"testing"
	"time"
)

// TestRemovedMembersAreForgotten: after 90 days nobody is shown a member who was removed, also while the item is there.
func TestRemovedMembersAreForgotten(t *testing.T) {
	w := newWorld(t, "")
	id, err := w.user("ada", nil)
	w.must(err)
	w.must(w.publish())
	w.must(w.remove(userType, id))
	w.must(w.publish())
	shown := func() (byID, listed, explained bool) {
		_, byID, err := w.s.Get(t.Context(), w.tenant, id)
		w.must(err)
		list, err := w.s.List(t.Context(), w.tenant, `status eq "removed"`, "", 10)
		w.must(err)
		_, explained, err = w.s.Why(t.Context(), w.tenant, id)
		w.must(err)
		return byID, len(list.Members) == 1, explained
	}
	w.later = 89 * 24 * time.Hour
	if byID, listed, explained := shown(); !byID || !listed || !explained {
		t.Errorf("after 89 days: by id %t, listed %t, explained %t", byID, listed, explained)
	}
	w.later = 91 * 24 * time.Hour
	if byID, listed, explained := shown(); byID || listed || explained {
		t.Errorf("after 91 days: by id %t, listed %t, explained %t", byID, listed, explained)
	}
	if len(w.published()) != 1 {
		t.Error("the item is gone already: nothing was tested")
	}
}
