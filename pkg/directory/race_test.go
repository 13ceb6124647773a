package directory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

func TestOneNameIsGivenOnce(t *testing.T) {
	w := in(t)
	var created, refused atomic.Int32
	tally := func(err error) {
		switch status(err) {
		case 200:
			created.Add(1)
		case 409:
			refused.Add(1)
		default:
			t.Error(err)
		}
	}
	together(16, func(i int) {
		_, err := w.create(user, userBody([]string{"One@Example.com", "one@example.com", "ONE@EXAMPLE.COM"}[i%3]))
		tally(err)
	})
	if created.Load() != 1 || refused.Load() != 15 {
		t.Errorf("create: %d created, %d refused", created.Load(), refused.Load())
	}
	ids := w.users(16)
	created.Store(0)
	refused.Store(0)
	together(16, func(i int) {
		_, err := w.patch(user, ids[i], `{"op":"replace","path":"userName","value":"two"}`)
		tally(err)
	})
	if created.Load() != 1 || refused.Load() != 15 {
		t.Errorf("rename: %d renamed, %d refused", created.Load(), refused.Load())
	}
	w.settled()
}

func TestAddedMembersAreNeverLost(t *testing.T) {
	for _, idp := range []string{"entra", "generic"} {
		t.Run(idp, func(t *testing.T) {
			w := on(t, memory(t), idp)
			ids := w.users(64)
			g := w.group("all")
			together(16, func(i int) {
				for _, id := range ids[i*4 : i*4+4] {
					if _, err := w.patch(group, g, add(id)); err != nil {
						t.Error(err)
					}
				}
			})
			w.same("members", w.members(g), ids)
			if v := w.get(group, g).Version; v != 65 {
				t.Errorf("version %d after 64 changes", v)
			}
			together(16, func(i int) {
				for _, id := range ids[i*4 : i*4+4] {
					if _, err := w.patch(group, g, drop(id)); err != nil {
						t.Error(err)
					}
				}
			})
			w.same("members", w.members(g), nil)
			w.settled()
		})
	}
}

// TestAnything runs random writes of 8 clients on a few users and groups, with and without faults, and then compares
// the whole table with its documents.
func TestAnything(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			var plan faultstore.Plan
			if seed%2 == 1 {
				plan = faultstore.Random(seed, 0.1)
			}
			faulty := faultstore.New(memory(t), plan)
			w := on(t, faulty, []string{"entra", "generic"}[seed/2%2])
			m := &mess{w: w}
			together(8, func(i int) {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				for range 35 {
					m.step(r)
				}
			})
			faulty.SetPlan(nil)
			w.settled()
		})
	}
}

// mess is the ids that random writes know.
type mess struct {
	w      *world
	slow   bool // the engine may be too slow for all who want something at once: a request may be put off
	putOff atomic.Bool
	mu     sync.Mutex
	users  []string
	groups []string
}

func (m *mess) pick(r *rand.Rand, from *[]string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(*from) == 0 {
		return "none"
	}
	return (*from)[r.IntN(len(*from))]
}

func (m *mess) note(to *[]string, id string, err error) {
	if err == nil {
		m.mu.Lock()
		*to = append(*to, id)
		m.mu.Unlock()
	}
}

// name is a userName or externalId that comes up often.
func (m *mess) name(r *rand.Rand) string {
	return fmt.Sprintf([]string{"name-%d", "Name-%d", "NAME-%d"}[r.IntN(3)], r.IntN(6))
}

// who is a member or manager value.
func (m *mess) who(r *rand.Rand) string {
	switch r.IntN(6) {
	case 0, 1:
		return m.name(r)
	case 2:
		return m.pick(r, &m.groups)
	}
	return m.pick(r, &m.users)
}

func (m *mess) several(r *rand.Rand, n int) []string {
	var list []string
	for range n {
		list = append(list, m.who(r))
	}
	return list
}

func (m *mess) step(r *rand.Rand) {
	w := m.w
	var err error
	switch r.IntN(14) {
	case 0, 1, 2:
		more := []string{fmt.Sprintf(`"externalId":%q`, m.name(r))}
		if r.IntN(2) == 0 {
			more = append(more, managed(m.who(r)))
		}
		res, e := w.create(user, userBody(m.name(r), more...))
		m.note(&m.users, res.ID, e)
		err = e
	case 3:
		_, err = w.patch(user, m.pick(r, &m.users), fmt.Sprintf(`{"op":"replace","path":"userName","value":%q}`, m.name(r)))
	case 4:
		_, err = w.put(user, m.pick(r, &m.users), userBody(m.name(r), managed(m.who(r))))
	case 5:
		err = w.remove(user, m.pick(r, &m.users))
	case 6:
		res, e := w.create(group, groupBody(m.name(r), m.several(r, r.IntN(4))...))
		m.note(&m.groups, res.ID, e)
		err = e
	case 7, 8:
		_, err = w.patch(group, m.pick(r, &m.groups), add(m.several(r, 1+r.IntN(3))...))
	case 9:
		_, err = w.patch(group, m.pick(r, &m.groups), drop(m.several(r, 1+r.IntN(3))...))
	case 10:
		_, err = w.put(group, m.pick(r, &m.groups), groupBody(m.name(r), m.several(r, r.IntN(5))...))
	case 11:
		var many []string
		for i := range 60 {
			many = append(many, fmt.Sprintf("nobody-%d-%d", r.IntN(3), i))
		}
		_, err = w.patch(group, m.pick(r, &m.groups), add(append(many, m.several(r, 3)...)...))
	case 12:
		_, err = w.patch(group, m.pick(r, &m.groups), `{"op":"remove","path":"members"}`)
	case 13:
		if r.IntN(3) == 0 {
			err = w.remove(group, m.pick(r, &m.groups))
		}
	}
	if m.slow && (directory.IsBusy(err) || status(err) == 503) {
		m.putOff.Store(true)
		return
	}
	switch status(err) {
	case 200, 404, 409:
	default:
		w.t.Errorf("%v", err)
	}
}

// TestMemberOfAnotherKind has a member removed and come back as a value that names nobody, between a removal's look and
// its commit.
func TestMemberOfAnotherKind(t *testing.T) {
	engine := &intercept{Engine: memory(t)}
	w := on(t, engine, "entra")
	u := w.user("u")
	g := w.group("g", u)
	engine.once(func(c call) bool { return c.does(store.Delete, "M") }, func() {
		w.ok(nil, w.remove(user, u))
		w.ok(w.patch(group, g, add(u)))
	})
	w.ok(w.patch(group, g, drop(u)))
	if !engine.done() {
		t.Fatal("it never came to this")
	}
	w.same("members", w.members(g), nil)
	w.settled()
}

// TestRenameAmongMembers has a member come in just before a rename of the group is committed: neither has to try again,
// nor is lost. What else changes the document in between is seen.
func TestRenameAmongMembers(t *testing.T) {
	engine := &intercept{Engine: memory(t)}
	w := on(t, engine, "entra")
	u := w.user("u")
	g := w.group("g")
	rename := func(to string, calls int, meanwhile func()) {
		t.Helper()
		engine.once(func(c call) bool { return c.does(store.Update, "G") }, meanwhile)
		ctx, total := directory.Metered(context.Background())
		ops := w.operations(fmt.Sprintf(`{"op":"replace","path":"displayName","value":%q}`, to))
		_, _, err := w.dir.Patch(ctx, w.tenant, group, g, ops, directory.PatchOptions{Body: directory.NoBody})
		w.ok(nil, err)
		if c := total(); c.Calls != calls || !engine.done() {
			t.Errorf("it took %d calls, want %d", c.Calls, calls)
		}
		if name := w.get(group, g).Doc["displayName"]; name != to {
			t.Errorf("the name is %v, not %s", name, to)
		}
		w.settled()
	}
	rename("h", 3, func() { w.ok(w.patch(group, g, add(u))) })
	w.same("members", w.members(g), []string{u})
	if v := w.get(group, g).Version; v != 3 {
		t.Errorf("version %d", v)
	}
	rename("i", 6, func() { w.ok(w.patch(group, g, `{"op":"replace","path":"externalId","value":"x"}`)) })
	if w.get(group, g).Doc["externalId"] != "x" {
		t.Error("the other change is lost")
	}
	// The name goes and comes back, and is another group's by then.
	rename("j", 6, func() {
		w.ok(w.patch(group, g, `{"op":"replace","path":"displayName","value":"k"}`))
		w.group("i")
		w.ok(w.patch(group, g, `{"op":"replace","path":"displayName","value":"i"}`))
	})
}

// TestDeleteAmongWriters deletes a group, and renames another, while 8 clients change their members all the time.
func TestDeleteAmongWriters(t *testing.T) {
	w := in(t)
	ids := w.users(8)
	gone, kept := w.group("gone"), w.group("kept")
	var stop atomic.Bool
	together(9, func(i int) {
		if i == 8 {
			defer stop.Store(true)
			w.ok(w.patch(group, kept, `{"op":"replace","path":"displayName","value":"renamed"}`))
			w.ok(w.put(group, kept, groupBody("replaced", ids...)))
			w.ok(nil, w.remove(group, gone))
			return
		}
		for n := 0; !stop.Load(); n++ {
			for _, g := range []string{gone, kept} {
				ops := add(ids[i])
				if n%2 == 1 {
					ops = drop(ids[i])
				}
				if _, err := w.patch(group, g, ops); status(err) != 200 && status(err) != 404 {
					t.Error(err)
				}
			}
		}
	})
	w.settled()
}
