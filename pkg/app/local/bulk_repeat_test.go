package local_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// bulk sends a bulk request whose operations have to get the statuses, and returns the ids of the resources.
func (a *api) bulk(want string, ops ...bulkOp) []string {
	a.t.Helper()
	out := a.must(200, "POST", "/Bulk", bulkBody(a.t, 0, ops...))
	if got := statuses(out); got != want {
		a.t.Fatalf("statuses %s, want %s: %v", got, want, out)
	}
	var ids []string
	for _, r := range results(out) {
		location, _ := r["location"].(string)
		ids = append(ids, location[strings.LastIndex(location, "/")+1:])
	}
	return ids
}

// replace changes one attribute of a resource.
func (a *api) replace(path, attribute, value string) {
	a.t.Helper()
	a.change(path, fmt.Sprintf(`{"op":"replace","path":%q,"value":%q}`, attribute, value))
}

// change sends a PATCH, which some profiles answer with a body and some without.
func (a *api) change(path, op string) {
	a.t.Helper()
	if status, out := a.do("PATCH", path, patchBody(op)); status != 200 && status != 204 {
		a.t.Fatalf("PATCH %s: status %d: %v", path, status, out)
	}
}

// TestBulkRepeatedAfterRename sends a bulk request again whose user was renamed in between: the user of that name is
// created anew.
func TestBulkRepeatedAfterRename(t *testing.T) {
	for _, idp := range []string{"generic", "okta"} {
		a := on(t, memory(t), idp)
		first := a.bulk("201", postUser("a", "anna", ""))
		if again := a.bulk("201", postUser("a", "anna", "")); again[0] != first[0] {
			t.Errorf("%s: nothing happened in between, and %s became %s", idp, first, again)
		}
		a.replace("/Users/"+first[0], "userName", "berta")
		second := a.bulk("201", postUser("a", "anna", ""))
		if second[0] == first[0] {
			t.Fatalf("%s: 201 for %s, which is berta now", idp, first)
		}
		if got := a.must(200, "GET", "/Users/"+second[0], "")["userName"]; got != "anna" {
			t.Errorf("%s: created %v", idp, got)
		}
		if third := a.bulk("201", postUser("a", "anna", "")); third[0] != second[0] {
			t.Errorf("%s: created once more", idp)
		}
		// Changed and still of that name: a POST like any other.
		a.replace("/Users/"+second[0], "title", "boss")
		a.bulkConflict(postUser("a", "anna", ""))
	}
}

// bulkConflict sends a bulk request of one operation, which has to fail on a unique value.
func (a *api) bulkConflict(op bulkOp) {
	a.t.Helper()
	out := a.must(200, "POST", "/Bulk", bulkBody(a.t, 0, op))
	response, _ := results(out)[0]["response"].(object)
	if statuses(out) != "409" || response["scimType"] != "uniqueness" {
		a.t.Errorf("want a 409 uniqueness: %v", out)
	}
}

// TestBulkRepeatedAfterChanges sends a bulk request of a user and a group with it again, after one of them was changed
// or deleted.
func TestBulkRepeatedAfterChanges(t *testing.T) {
	ops := []bulkOp{postUser("a", "anna", ""), postGroup("g", "crew", "bulkId:a")}
	tests := []struct {
		name      string
		change    func(a *api, user, group string)
		user      bool // the user counts as done
		unchanged bool // the group as well
		twice     bool // there is another group of the name
	}{
		{"nothing", func(*api, string, string) {}, true, true, false},
		{"joined elsewhere", func(a *api, user, _ string) { a.group("other", []string{user}) }, true, true, false},
		{"user deleted", func(a *api, user, _ string) {
			a.must(204, "DELETE", "/Users/"+user, "")
		}, false, false, true},
		{"both deleted", func(a *api, user, group string) {
			a.must(204, "DELETE", "/Users/"+user, "")
			a.must(204, "DELETE", "/Groups/"+group, "")
		}, false, false, false},
		{"group renamed", func(a *api, _, group string) {
			a.replace("/Groups/"+group, "displayName", "staff")
		}, true, false, false},
		{"group emptied", func(a *api, user, group string) {
			a.change("/Groups/"+group, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, user))
		}, true, false, true},
		{"group deleted", func(a *api, _, group string) {
			a.must(204, "DELETE", "/Groups/"+group, "")
		}, true, false, false},
	}
	for _, idp := range []string{"generic", "okta"} {
		for _, tt := range tests {
			t.Run(idp+" "+tt.name, func(t *testing.T) {
				a := on(t, memory(t), idp)
				first := a.bulk("201 201", ops...)
				tt.change(a, first[0], first[1])
				if tt.twice && idp == "okta" {
					again := a.must(200, "POST", "/Bulk", bulkBody(t, 0, ops...))
					if statuses(again) != "201 409" {
						t.Errorf("the old group holds the name: %v", again)
					}
					return
				}
				again := a.bulk("201 201", ops...)
				if (again[0] == first[0]) != tt.user || (again[1] == first[1]) != tt.unchanged {
					t.Errorf("first %v, again %v", first, again)
				}
				if got := a.values(again[1]); len(got) != 1 || got[0] != again[0] {
					t.Errorf("members %v of the group, want %s", got, again[0])
				}
				a.agree()
			})
		}
	}
}

// TestBulkRepeatedWithItsOwnChanges repeats bulk requests that change, directly or indirectly, the resources that
// they have created.
func TestBulkRepeatedWithItsOwnChanges(t *testing.T) {
	tests := map[string][]bulkOp{
		"201 200 200": {
			postUser("a", "anna", ""),
			{Method: "PATCH", Path: "/Users/bulkId:a", Data: patchData("replace", "title", "one")},
			{Method: "PATCH", Path: "/Users/bulkId:a", Data: patchData("replace", "title", "two")},
		},
		"201 201 201": {
			postGroup("g", "crew", "anna"), postUser("a", "anna", "bulkId:b"),
			postUser("b", "berta", "bulkId:a"),
		},
		"201 201": {postGroup("g", "crew", "bulkId:h"), postGroup("h", "staff", "bulkId:g")},
		"201 201 200": {
			postUser("a", "anna", ""), postGroup("g", "crew"),
			{
				Method: "PATCH", Path: "/Groups/bulkId:g",
				Data: patchData("add", "members", []object{{"value": "bulkId:a"}}),
			},
		},
	}
	for want, ops := range tests {
		a := on(t, memory(t), "generic")
		first := a.bulk(want, ops...)
		for range 3 {
			if again := a.bulk(want, ops...); !slices.Equal(first, again) {
				t.Fatalf("%s: first %v, again %v", want, first, again)
			}
		}
		a.agree()
	}
}

// TestBulkRepeatedWithLargeGroup sends a bulk request again whose group takes more than one transaction.
func TestBulkRepeatedWithLargeGroup(t *testing.T) {
	a := on(t, memory(t), "generic")
	ops := []bulkOp{postGroup("g", "crew", a.users(120)...)}
	first := a.bulk("201", ops...)
	if again := a.bulk("201", ops...); !slices.Equal(first, again) {
		t.Errorf("first %v, again %v", first, again)
	}
}

// TestBulkRepeatedBehindDeletion sends a bulk request of a group again right after its member was deleted, which was in
// so many groups that they are not all rid of it yet.
func TestBulkRepeatedBehindDeletion(t *testing.T) {
	a := on(t, memory(t), "generic")
	user := a.user("anna")
	ops := []bulkOp{postGroup("g", "zz", user)}
	first := a.bulk("201", ops...)
	for i := range 60 {
		a.group(fmt.Sprint("other-", i), []string{user})
	}
	a.must(204, "DELETE", "/Users/"+user, "")
	if again := a.bulk("201", ops...); again[0] == first[0] {
		t.Error("201 for a group that has lost its member")
	}
}

// TestBulkRepetitionKilledAnywhere kills the process before each single write of a repetition: one more answers as if
// it had not.
func TestBulkRepetitionKilledAnywhere(t *testing.T) {
	ops := []bulkOp{
		postUser("a", "anna", ""), postGroup("g", "crew", "bulkId:a"),
		{Method: "PATCH", Path: "/Groups/bulkId:g", Data: patchData("replace", "externalId", "one")},
		{Method: "PATCH", Path: "/Groups/bulkId:g", Data: patchData("replace", "externalId", "two")},
	}
	for n := 0; ; n++ {
		engine := faultstore.New(memory(t), nil)
		a := on(t, engine, "generic")
		first := a.bulk("201 201 200 200", ops...)
		engine.KillAfterWrites(n)
		a.do("POST", "/Bulk", bulkBody(t, 0, ops...))
		killed := engine.Killed()
		engine.Revive()
		if again := a.again(engine).bulk("201 201 200 200", ops...); !slices.Equal(first, again) {
			t.Errorf("killed before write %d: first %v, again %v", n, first, again)
		}
		if !killed {
			return
		}
	}
}

// TestBulkCircleRepeatedAfterChange sends a circle again after one of it was changed: they are created together or not
// at all.
func TestBulkCircleRepeatedAfterChange(t *testing.T) {
	ops := []bulkOp{postGroup("g", "crew", "bulkId:h"), postGroup("h", "staff", "bulkId:g")}
	a := on(t, memory(t), "generic")
	first := a.bulk("201 201", ops...)
	a.replace("/Groups/"+first[0], "displayName", "renamed")
	again := a.bulk("201 201", ops...)
	if first[0] == again[0] || first[1] == again[1] {
		t.Fatalf("first %v, again %v", first, again)
	}
	if got := a.values(again[1]); len(got) != 1 || got[0] != again[0] {
		t.Errorf("members %v", got)
	}
}

// TestBulkIsRememberedForTenMinutes repeats a bulk request of a group whose name is not unique, and moves the clock:
// ten minutes from the first run, no matter which requests come between.
func TestBulkIsRememberedForTenMinutes(t *testing.T) {
	var ahead atomic.Int64
	now := time.Now()
	engine := memory(t)
	a := on(t, engine, "generic")
	o := quiet()
	o.Now = func() time.Time { return now.Add(time.Duration(ahead.Load())) }
	s := local.New(o, engine, io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	a.s, a.h = s, s.Handler()
	// The second group fails at first and is created by the repetition, which does not make the memory of the first
	// longer.
	ops := []bulkOp{postGroup("g", "crew"), postUser("u", "anna", "")}
	held := a.user("anna")
	first := a.bulk("201 409", ops...)
	ahead.Store(int64(5 * time.Minute))
	a.must(204, "DELETE", "/Users/"+held, "")
	if again := a.bulk("201 201", ops...); again[0] != first[0] {
		t.Errorf("after five minutes: first %v, again %v", first, again)
	}
	ahead.Store(int64(10*time.Minute - 2*time.Second))
	if again := a.bulk("201 201", ops...); again[0] != first[0] {
		t.Errorf("just before ten minutes: first %v, again %v", first, again)
	}
	ahead.Store(int64(10*time.Minute + time.Second))
	if again := a.bulk("201 409", ops...); again[0] == first[0] {
		t.Errorf("after ten minutes the group still counts as created")
	}
}

// TestBulkTwins sends the same bulk request several times at once: all get the same answer.
func TestBulkTwins(t *testing.T) {
	crew := []bulkOp{
		postUser("a", "anna", ""), postUser("b", "berta", ""), postUser("c", "cid", "bulkId:a"),
		postGroup("g", "crew", "bulkId:a", "bulkId:b", "bulkId:c"),
	}
	circle := []bulkOp{
		postUser("a", "anna", "bulkId:b"), postUser("b", "berta", "bulkId:a"), postGroup("c", "club", "bulkId:a"),
		postGroup("g", "crew", "bulkId:a", "bulkId:b", "bulkId:c"),
	}
	for _, idp := range []string{"okta", "generic"} {
		for round := range 6 {
			a := on(t, memory(t), idp)
			ops, groups := crew, 1
			if round%2 == 1 {
				ops, groups = circle, 2
			}
			body := bulkBody(t, 0, ops...)
			outs := make([]object, 6)
			var all sync.WaitGroup
			for i := range outs {
				all.Go(func() { _, outs[i] = a.do("POST", "/Bulk", body) })
			}
			all.Wait()
			for _, out := range outs {
				if got := statuses(out); got != "201 201 201 201" {
					t.Fatalf("%s, round %d: statuses %s: %v", idp, round, got, out)
				}
				for i, r := range results(out) {
					if want := results(outs[0])[i]["location"]; r["location"] != want {
						t.Errorf("%s, round %d: location %v, want %v", idp, round, r["location"], want)
					}
				}
			}
			if state := a.agree(); len(state) != 1+groups || len(state["crew"]) != 3 {
				t.Errorf("%s: state %v", idp, state)
			}
		}
	}
}

// TestBulkKilledThenChanged kills the process before each single write of a bulk request and renames the resources
// before the request comes again: no resource counts as created that is a different one by now.
func TestBulkKilledThenChanged(t *testing.T) {
	ops := []bulkOp{postUser("a", "anna", ""), postGroup("g", "crew", "bulkId:a")}
	for n := 0; ; n++ {
		engine := faultstore.New(memory(t), nil)
		a := on(t, engine, "okta")
		engine.KillAfterWrites(n)
		a.do("POST", "/Bulk", bulkBody(t, 0, ops...))
		killed := engine.Killed()
		engine.Revive()
		b := a.again(engine)
		for _, u := range b.all("/Users") {
			b.replace("/Users/"+u["id"].(string), "userName", "renamed")
		}
		for _, g := range b.all("/Groups") {
			b.replace("/Groups/"+g["id"].(string), "displayName", "renamed")
		}
		ids := b.bulk("201 201", ops...)
		if got := b.must(200, "GET", "/Users/"+ids[0], "")["userName"]; got != "anna" {
			t.Errorf("killed before write %d: created %v", n, got)
		}
		if got := b.values(ids[1]); len(got) != 1 || got[0] != ids[0] {
			t.Errorf("killed before write %d: members %v", n, got)
		}
		if !killed {
			return
		}
	}
}
