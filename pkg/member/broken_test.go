package member_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestBrokenWorkHoldsUpNobody: open work that can't be completed fails the publication that waits for it, and no other.
func TestBrokenWorkHoldsUpNobody(t *testing.T) {
	w := newWorld(t, teams)
	var ids []string
	for n := range 110 {
		id, err := w.user(fmt.Sprint("u", n), nil)
		w.must(err)
		ids = append(ids, id)
	}
	slices.Sort(ids)
	staff, err := w.group("Staff", ids[0])
	w.must(err)
	w.must(w.publish())
	all := func(q store.Query) []store.Item {
		page, err := w.ts.Query(t.Context(), q)
		w.must(err)
		return page.Items
	}
	open := func() []store.Item { return all(store.Query{PK: w.ts.Work("").PK}) }
	for i, name := range []string{"Team Blue", "Team Green"} {
		for n := 0; len(open()) == i; n++ {
			w.engine.KillAfterWrites(n)
			_, _ = w.group(name, ids...) // it fails, for the process dies
			w.engine.Revive()
		}
	}
	works := open()
	prefix := w.ts.ChunkPrefix(works[0].SK)
	chunks := all(store.Query{PK: prefix.PK, Prefix: prefix.SK})
	w.restart()
	last := chunks[len(chunks)-1] // in order of id, so it holds none of the first
	w.must(w.ts.Write(t.Context(), store.PutItem(last.Key, store.Attrs{"changes": "broken"})))
	if err := w.dir.RollForward(t.Context(), "acme"); err == nil {
		t.Error("the roll-forward does not say that open work is broken")
	}
	if left := open(); left[0].Attrs["closed"] != nil || left[1].Attrs["closed"] == nil {
		t.Errorf("the broken and the other open work are %v", left)
	}
	w.must(w.patch(groupType, staff, op(patch.Replace, "displayName", "Team Red")))
	if _, err := w.s.Publish(t.Context(), w.tenant, time.Minute); err == nil {
		t.Error("the publication does not say that open work is broken")
	}
	if m := w.published()[ids[0]]; !strings.HasSuffix(m, "team Red [team]") {
		t.Errorf("a member of the renamed group is %s", m)
	}
	w.must(w.ts.Write(t.Context(), store.PutItem(last.Key, last.Attrs)))
	w.must(w.publish())
	w.check()
}

// TestAdoptedBehindManyMarkers: more groups have changed than one call reads, and the last of them adopts a target. A
// read of a member who has the target manually does not show it as if the groups had been looked at.
func TestAdoptedBehindManyMarkers(t *testing.T) {
	w := newWorld(t, adopting)
	ada, err := w.user("ada", nil)
	w.must(err)
	w.must(w.publish())
	red := mapping.TargetKey{Kind: "team", Name: "red"}
	w.must(w.s.Assign(t.Context(), w.tenant, ada, red))
	w.must(w.publish())
	group, err := w.group("Team red")
	w.must(err)
	for n := range 200 { // markers of groups whose ids come first
		w.must(w.ts.Write(t.Context(), marker.Mark(
			w.ts.Keys, marker.Subject{Kind: marker.Group, ID: fmt.Sprintf("0%03d", n)}, eventlog.Cause{}, time.Now())))
	}
	m, found, err := w.s.Get(t.Context(), w.tenant, ada)
	w.must(err)
	if !found || len(m.Assignments) > 0 && !m.Pending {
		t.Errorf("group %s has adopted the target, and the member is %+v", group, m)
	}
	w.must(w.publish())
	if m, _, err = w.s.Get(t.Context(), w.tenant, ada); err != nil || len(m.Assignments) > 0 || m.Pending {
		t.Errorf("once all groups were looked at the member is %+v, %v", m, err)
	}
}
