package directory_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

func manager(doc object) object {
	extension, _ := doc[enterprise].(object)
	m, _ := extension["manager"].(object)
	return m
}

// TestEveryOrderOfArrival writes the same things in every order and finds the same state.
func TestEveryOrderOfArrival(t *testing.T) {
	for _, value := range []string{"Late@Example.com", "Ext-1"} {
		steps := map[string]func(w *world){
			"arrive": func(w *world) { w.user("late@example.com", `"externalId":"Ext-1"`, managed("late@example.com")) },
			"group":  func(w *world) { w.group("one", value) },
			"second": func(w *world) { w.group("two", "x", value) },
			"report": func(w *world) { w.user("report", managed(value)) },
		}
		for _, order := range permutations([]string{"arrive", "group", "second", "report"}) {
			t.Run(fmt.Sprint(value, order), func(t *testing.T) {
				w := in(t)
				for _, step := range order {
					steps[step](w)
				}
				w.settled()
				id := w.only(user, `userName eq "late@example.com"`)
				w.same("one", w.members(w.only(group, `displayName eq "one"`)), []string{id})
				w.same("two", w.members(w.only(group, `displayName eq "two"`)), []string{id, "x"})
				for _, who := range []string{id, w.only(user, `userName eq "report"`)} {
					if m := manager(w.get(user, who).Doc); m["value"] != id || m["$ref"] == nil {
						t.Errorf("manager %v", m)
					}
				}
				w.ok(nil, w.remove(user, id))
				w.same("two", w.members(w.only(group, `displayName eq "two"`)), []string{"x"})
				w.settled()
			})
		}
	}
}

func permutations(list []string) [][]string {
	if len(list) < 2 {
		return [][]string{list}
	}
	var all [][]string
	for i, first := range list {
		rest := append(append([]string{}, list[:i]...), list[i+1:]...)
		for _, p := range permutations(rest) {
			all = append(all, append([]string{first}, p...))
		}
	}
	return all
}

func TestArrivalByRename(t *testing.T) {
	w := in(t)
	g := w.group("g", "Waited", "gone")
	w.ok(w.patch(group, g, drop("gone")))
	a, b := w.user("a"), w.user("b")
	w.ok(w.patch(user, a, `{"op":"replace","path":"userName","value":"waited"}`))
	w.ok(w.patch(user, b, `{"op":"replace","path":"userName","value":"gone"}`))
	w.same("members", w.members(g), []string{a})
	w.settled()
	w.ok(w.patch(group, g, add("waited", "WAITED")))
	if v := w.get(group, g).Version; v != 3 {
		t.Errorf("version %d", v)
	}
	w.settled()
}

func TestExternalIDIsCaseExact(t *testing.T) {
	w := in(t)
	g := w.group("g", "EXT")
	a := w.user("a", `"externalId":"ext"`)
	w.same("members", w.members(g), []string{"EXT"})
	w.settled()
	w.ok(w.patch(user, a, `{"op":"replace","path":"externalId","value":"EXT"}`))
	w.same("members", w.members(g), []string{a})
	w.settled()
}

// TestExternalIDOfTwo: an externalId need not be unique. A reference by one that two users have waits; it is never
// given to either of them by chance.
func TestExternalIDOfTwo(t *testing.T) {
	w := in(t)
	a, b := w.user("a", `"externalId":"twin"`), w.user("b", `"externalId":"twin"`)
	g := w.group("g", "twin", a)
	report := w.user("report", managed("twin"))
	w.same("members", w.members(g), []string{a, "twin"})
	if m := manager(w.get(user, report).Doc); m["value"] != "twin" || m["$ref"] != nil {
		t.Errorf("the manager is %v", m)
	}
	w.settled()
	w.ok(w.patch(group, g, drop("twin")))
	w.same("members", w.members(g), []string{a})
	w.ok(w.patch(user, report, `{"op":"replace","path":"title","value":"x"}`))
	w.settled()
	if err := w.dir.Delete(t.Context(), w.tenant, user, report, nil); err != nil {
		t.Fatal(err)
	}
	w.ok(w.patch(user, b, `{"op":"replace","path":"externalId","value":"other"}`))
	w.ok(w.patch(group, g, add("other", "twin")))
	w.same("members", w.members(g), []string{a, b})
	w.settled()
}

// TestArrivedAndGone has the user for whom a reference waits arrive and be deleted just before the reference is given
// to it: it goes on waiting, for the next one.
func TestArrivedAndGone(t *testing.T) {
	places := map[string]func(c call) bool{
		"before the user is read":     func(c call) bool { return c.read && c.touches("U") && !c.touches("N") },
		"before the group is changed": func(c call) bool { return c.does(store.Update, "G") },
		"before the report is changed": func(c call) bool {
			return c.does(store.Check, "U") && c.does(store.Put, "U")
		},
		"before the report is read":       func(c call) bool { return c.read && len(c.keys) == 2 && c.touches("U") },
		"before the head is removed":      func(c call) bool { return c.does(store.Delete, "QH") },
		"before the references are found": func(c call) bool { return c.read && c.touches("Q") },
	}
	for name, at := range places {
		t.Run(name, func(t *testing.T) {
			engine := &intercept{Engine: memory(t)}
			w := on(t, engine, "entra")
			g := w.group("g", "late")
			report := w.user("report", managed("late"))
			var armed atomic.Bool
			engine.once(func(c call) bool {
				if c.does(store.Put, "N") {
					armed.Store(true)
					return false
				}
				return armed.Load() && at(c)
			}, func() {
				id := w.only(user, `userName eq "late"`)
				w.ok(nil, w.remove(user, id))
			})
			ctx, total := directory.Metered(t.Context())
			_, err := w.dir.Create(ctx, w.tenant, user, parse(t, `{"userName":"late"}`), nil)
			w.ok(nil, err)
			w.ok(nil, w.dir.RollForward(ctx, w.tenant.ID))
			if !engine.done() {
				t.Fatal("it never came to this")
			}
			if n := total().Calls; n > 50 { // it does not try again and again for something that is gone
				t.Errorf("it took %d calls", n)
			}
			w.settled()
			id := w.user("late")
			w.settled()
			if got := w.members(g); len(got) != 0 { // it was in the group, and was deleted
				w.same("members", got, []string{id})
			}
			if m := manager(w.get(user, report).Doc); m["value"] == "late" {
				t.Errorf("manager %v", m)
			}
		})
	}
}

// only returns the id of the one resource that a filter finds.
func (w *world) only(rt *schemaType, expr string) string {
	w.t.Helper()
	ids := w.ids(rt, expr)
	if len(ids) != 1 {
		w.t.Fatalf("%s: found %d", expr, len(ids))
	}
	return ids[0]
}

func TestWaitsAgain(t *testing.T) {
	w := in(t)
	u := w.user("u", managed("boss"))
	w.ok(w.patch(user, u, `{"op":"replace","path":"`+enterprise+`:manager","value":"chief"}`))
	w.settled()
	w.ok(w.patch(user, u, `{"op":"replace","path":"`+enterprise+`:manager","value":"boss"}`))
	w.settled()
	w.user("chief")
	boss := w.user("boss")
	if m := manager(w.get(user, u).Doc); m["value"] != boss {
		t.Errorf("manager %v", m)
	}
	w.ok(nil, w.remove(user, u))
	w.settled()
}

// TestManagerWithoutValue: a reference is made here, never taken from a client; only the id at its end is.
func TestManagerWithoutValue(t *testing.T) {
	w := in(t)
	for i, m := range []string{
		`{"displayName":"x"}`, `{"value":""}`, `""`, `{"$ref":"","displayName":"x"}`, `{"$ref":"x","value":""}`,
	} {
		res, err := w.create(user, userBody(fmt.Sprintf("u%d", i), `"`+enterprise+`":{"manager":`+m+`}`))
		w.ok(res, err)
		if got := manager(w.get(user, res.ID).Doc); got != nil {
			t.Errorf("%s became %v", m, got)
		}
	}
	alone := `"` + enterprise + `":{"manager":{"$ref":"https://evil.example.com/Users/1"}}`
	res, err := w.create(user, userBody("v", alone))
	w.ok(res, err)
	if got := manager(w.get(user, res.ID).Doc); got["value"] != "1" || got["$ref"] != nil {
		t.Errorf("%s became %v", alone, got)
	}
	w.settled()
}

// TestSameManagerChangesNothing: an IdP that names the manager by userName in every PUT makes no new version.
func TestSameManagerChangesNothing(t *testing.T) {
	w := in(t)
	w.user("boss", `"externalId":"b"`)
	u := w.user("u", managed("boss"))
	before := w.get(user, u)
	for _, value := range []string{"boss", "BOSS", "b"} {
		w.ok(w.put(user, u, userBody("u", `"active":true`, managed(value))))
	}
	if after := w.get(user, u); after.Version != before.Version || !after.Modified.Equal(before.Modified) {
		t.Errorf("version %d, was %d", after.Version, before.Version)
	}
	w.settled()
}

// TestIDsInCapitals: members who are named by their ids in capitals are those users and groups, as they join, stay and
// leave.
func TestIDsInCapitals(t *testing.T) {
	for _, size := range []int{1, 40} { // 40 are more than are read beside their group
		w := on(t, memory(t), "generic")
		g, ids := w.group("g"), []string{}
		for i := range size {
			ids = append(ids, w.user(fmt.Sprintf("u%d", i)), w.group(fmt.Sprintf("g%d", i)))
		}
		capitals := make([]string, len(ids))
		for i, id := range ids {
			capitals[i] = strings.ToUpper(id)
		}
		for range 2 {
			w.ok(w.patch(group, g, add(capitals...)))
			w.same("members", w.members(g), ids)
		}
		w.ok(w.put(group, g, groupBody("g", capitals...)))
		w.same("members", w.members(g), ids)
		for _, m := range decoded(w.get(group, g).Doc["members"]).([]any) {
			if m, _ := decoded(m).(object); m["type"] == nil || m["$ref"] == nil {
				t.Errorf("a member without its type or address: %v", m)
			}
		}
		w.ok(w.patch(group, g, drop(capitals...)))
		w.same("members", w.members(g), nil)
		made, err := w.create(group, groupBody("h", capitals...))
		w.ok(nil, err)
		w.same("members", w.members(made.ID), ids)
		w.ok(w.patch(group, made.ID, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, capitals[1])))
		if got := len(w.members(made.ID)); got != len(ids)-1 {
			t.Errorf("%d members, want %d", got, len(ids)-1)
		}
	}
}
