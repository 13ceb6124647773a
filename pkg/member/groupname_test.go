package member_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// TestGroupIsRenamedOnce renames a group that is a target, and kills the publishing after each call to the engine:
// each rename is announced once, and no change of its members is.
func TestGroupIsRenamedOnce(t *testing.T) {
	w := newWorld(t, "")
	ada, err := w.user("ada", nil)
	w.must(err)
	group, err := w.group("name 0", ada)
	w.must(err)
	w.must(w.publish())
	want := []string{}
	for n, whole := 0, false; !whole; n++ {
		name := fmt.Sprint("name ", n+1)
		w.must(w.patch(groupType, group, op(patch.Replace, "displayName", name)))
		want = append(want, fmt.Sprintf("name %d -> %s", n, name))
		w.engine.KillAfter(n)
		err := w.publish()
		w.engine.Revive()
		if whole = err == nil; err != nil && !errors.Is(err, faultstore.ErrKilled) {
			t.Fatal(err)
		}
		w.restart()
		w.must(w.publish())
	}
	w.must(w.remove(groupType, group))
	w.must(w.publish())
	w.check()
	page, err := w.s.Events(t.Context(), w.tenant, eventlog.Place{}, 1000)
	w.must(err)
	told := []string{}
	for _, e := range page.Events {
		if e.Object["type"] == "member.updated" {
			t.Errorf("told of a member: %v", e.Object)
		}
		if e.Object["type"] != "target.renamed" {
			continue
		}
		data := e.Object["data"].(scim.Object)
		target := data["target"].(scim.Object)
		if target["kind"] != "group" || target["target"] != group {
			t.Errorf("the target is %v", target)
		}
		told = append(told, fmt.Sprint(data["previousDisplayName"], " -> ", target["displayName"]))
	}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// TestNameGoesWithItsGroup: the name under which a group was a target goes with the group, also if a policy has come.
func TestNameGoesWithItsGroup(t *testing.T) {
	w := newWorld(t, "")
	ada, err := w.user("ada", nil)
	w.must(err)
	group, err := w.group("Staff", ada)
	w.must(err)
	w.must(w.publish())
	w.must(w.setPolicy(teams, 2))
	w.must(w.publish())
	w.must(w.remove(groupType, group))
	w.must(w.publish())
	w.check()
	items, err := w.ts.Get(t.Context(), w.ts.GroupTargets(group))
	w.must(err)
	if items[0].Attrs != nil {
		t.Errorf("left: %v", items[0].Attrs)
	}
}

// TestNameOutlastsPolicy: a group that was a target by its own name, gave targets by rules for a time, and was renamed
// then is announced under its new name as soon as it is a target again.
func TestNameOutlastsPolicy(t *testing.T) {
	w := newWorld(t, "")
	group, err := w.group("before")
	w.must(err)
	w.must(w.publish())
	w.must(w.setPolicy(`{"kinds": {"team": {"create": true, "manual": "remove"}}, "rules": [
		{"id": "team", "group": {"pattern": "(?P<name>.+)"}, "assign": {"kind": "team", "target": "${name}"}}]}`, 1))
	w.must(w.publish())
	w.must(w.patch(groupType, group, op(patch.Replace, "displayName", "after")))
	w.must(w.publish())
	w.must(w.setPolicy(`{}`, 2))
	w.must(w.publish())
	w.check()
	page, err := w.s.Events(t.Context(), w.tenant, eventlog.Place{}, 1000)
	w.must(err)
	told := []string{}
	for _, e := range page.Events {
		if e.Object["type"] == "target.renamed" {
			data := e.Object["data"].(scim.Object)
			told = append(told, fmt.Sprint(data["previousDisplayName"], " -> ",
				data["target"].(scim.Object)["displayName"]))
		}
	}
	if fmt.Sprint(told) != "[before -> after]" {
		t.Errorf("told %v", told)
	}
}
