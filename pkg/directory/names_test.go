package directory_test

import (
	"fmt"
	"sync/atomic"
	"testing"
)

func rename(name string) string {
	return `{"op":"replace","path":"displayName","value":` + quoted(name) + `}`
}

func TestUniqueGroupNames(t *testing.T) {
	w := in(t)
	w.tenant.UniqueGroupNames = true
	var created atomic.Int32
	together(16, func(i int) {
		_, err := w.create(group, groupBody([]string{"One", "ONE"}[i%2]))
		switch status(err) {
		case 200:
			created.Add(1)
		case 409:
		default:
			t.Error(err)
		}
	})
	if created.Load() != 1 {
		t.Errorf("%d created", created.Load())
	}
	w.settled()
	one := w.only(group, `displayName eq "one"`)
	two := w.group("two")
	for _, c := range []struct {
		id, name string
		status   int
	}{
		{one, "TWO", 409},
		{one, "oNe", 200},
		{one, "three", 200},
		{two, "One", 200},
		{one, "two", 200},
		{two, "one", 200},
	} {
		if _, err := w.patch(group, c.id, rename(c.name)); status(err) != c.status {
			t.Errorf("to %s: %v", c.name, err)
		}
		w.settled()
	}
	w.ok(nil, w.remove(group, one))
	if w.group("Two") == one {
		t.Error("an id came again")
	}
	w.settled()
}

// TestUniqueGroupNamesLater: names that are doubled before the rule is switched on stay, and nobody can take them.
func TestUniqueGroupNamesLater(t *testing.T) {
	w := in(t)
	a, b, c := w.group("x"), w.group("X"), w.group("x")
	w.settled()
	w.tenant.UniqueGroupNames = true
	if _, err := w.create(group, groupBody("x")); status(err) != 409 {
		t.Errorf("a fourth: %v", err)
	}
	w.ok(w.patch(group, b, rename("x"))) // nothing but the case
	w.ok(nil, w.remove(group, a))        // the holder
	if _, err := w.create(group, groupBody("x")); status(err) != 409 {
		t.Errorf("a fourth, without a holder: %v", err)
	}
	w.ok(w.patch(group, b, rename("y")))
	w.ok(w.patch(group, c, rename("z")))
	w.group("x")
	w.settled()
	w.tenant.UniqueGroupNames = false
	d := w.group("y")
	w.ok(w.patch(group, d, rename("z")))
	w.ok(w.patch(group, b, rename("z")))
	w.ok(nil, w.remove(group, c))
	w.settled()
}

// TestRenamesAgainstEachOther has groups swap their names all at once: however it ends, names and holders belong to the
// groups.
func TestRenamesAgainstEachOther(t *testing.T) {
	w := in(t)
	ids := []string{w.group("n0"), w.group("n1"), w.group("n2")}
	together(9, func(i int) {
		mine := w.unique(i%3 == 0)
		for n := range 15 {
			if _, err := mine.patch(group, ids[(i+n)%3], rename(fmt.Sprintf("n%d", (i*n)%4))); status(err) != 200 &&
				status(err) != 409 {
				t.Error(err)
			}
		}
	})
	w.settled()
}

// unique is the same world for a tenant that wants unique group names, or not.
func (w *world) unique(want bool) *world {
	other := &world{t: w.t, engine: w.engine, dir: w.dir, tenant: w.tenant, clock: w.clock}
	other.tenant.UniqueGroupNames = want
	return other
}

// TestTheSameRenameTwice: a group that gets a name from two requests at once has it; neither takes it for another's.
func TestTheSameRenameTwice(t *testing.T) {
	for _, match := range []bool{false, true} {
		engine := &intercept{Engine: memory(t)}
		w := on(t, engine, "okta").unique(true)
		g := w.group("one")
		var ifMatch []string
		want := 200
		if match {
			ifMatch, want = []string{w.get(group, g).ETag()}, 412
		}
		const rename = `{"op":"replace","path":"displayName","value":"two"}`
		engine.once(func(c call) bool { return c.read && c.touches("GN") }, func() { w.ok(w.patch(group, g, rename)) })
		if _, err := w.patch(group, g, rename, ifMatch...); status(err) != want || !engine.done() {
			t.Errorf("If-Match %t: %v, want %d", match, err, want)
		}
		other := w.group("three")
		if _, err := w.patch(group, other, rename); status(err) != 409 {
			t.Errorf("a name is given twice: %v", err)
		}
		w.settled()
	}
}
