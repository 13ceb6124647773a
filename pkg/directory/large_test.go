package directory_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// plant writes n users and their membership of a group straight into the table, which is quicker than to ask for them.
func (w *world) plant(g string, n int) []string {
	w.t.Helper()
	keys := store.KeysOf(w.tenant.ID)
	var ops []store.Op
	ids := make([]string, n)
	flush := func() {
		if len(ops) == 0 {
			return
		}
		if err := w.engine.Transact(context.Background(), "", ops); err != nil {
			w.t.Fatal(err)
		}
		ops = ops[:0]
	}
	for i := range ids {
		ids[i] = fmt.Sprintf("planted-%s-%06d", g[:4], i)
		ops = append(
			ops,
			store.Op{Kind: store.Put, Key: keys.User(ids[i]), Set: store.Attrs{
				"doc": userBody(ids[i]), "ver": int64(1), "created": int64(1), "modified": int64(1),
			}},
			store.Op{Kind: store.Put, Key: keys.UserName(ids[i]), Set: store.Attrs{"id": ids[i]}},
			store.Op{Kind: store.Put, Key: keys.Member(g, ids[i]), Set: store.Attrs{"type": "User"}},
			store.Op{Kind: store.Put, Key: keys.MemberOf(ids[i], g)},
		)
		if len(ops)+4 > store.MaxTransactOps {
			flush()
		}
	}
	ops = append(ops, counter.Add(keys, "User", ids[0], int64(n)),
		store.Op{Kind: store.Update, Key: keys.Group(g), Add: map[string]int64{"members": int64(n)}})
	flush()
	return ids
}

// TestReplaceWritesTheDifference: a PUT may hold any number of members that are there already.
func TestReplaceWritesTheDifference(t *testing.T) {
	slow.NoRace(t)
	w := in(t)
	g := w.group("g")
	ids := w.plant(g, directory.MaxMembershipChanges+1)
	extra := w.user("extra")
	ctx, total := directory.Metered(context.Background())
	_, err := w.dir.Replace(ctx, w.tenant, group, g, parse(t, groupBody("g", append(ids[1:], "EXTRA")...)),
		directory.PatchOptions{})
	w.ok(nil, err)
	if c := total(); c.WriteUnits > 20 || c.ReadUnits > 2000 {
		t.Errorf("it cost %+v", c)
	}
	w.same("members", w.members(g), append(ids[1:], extra))
	if _, err := w.put(group, g, groupBody("g")); status(err) != 413 {
		t.Errorf("more than the limit: %v", err)
	}
}

// TestReadersSeeAllOrNothing reads the members of a group while others change all of them at once.
func TestReadersSeeAllOrNothing(t *testing.T) {
	w := in(t)
	const n = 600
	g := w.group("g")
	ids := w.plant(g, n)
	w.ok(w.put(group, g, groupBody("g")))
	w.settled()
	var stop atomic.Bool
	together(4, func(i int) {
		if i > 0 {
			for !stop.Load() {
				if got := len(w.members(g)); got != 0 && got != n {
					t.Errorf("a reader saw %d members", got)
					return
				}
				w.groups(ids[i*100])
			}
			return
		}
		defer stop.Store(true)
		for range 3 {
			w.ok(w.put(group, g, groupBody("g", ids...)))
			w.ok(nil, w.dir.RollForward(context.Background(), w.tenant.ID))
			w.ok(w.patch(group, g, `{"op":"remove","path":"members"}`))
			w.ok(nil, w.dir.RollForward(context.Background(), w.tenant.ID))
		}
	})
	w.settled()
}

// TestTornRead has a large change begin and go half of its way while a reader is between its look at the open work and
// the members.
func TestTornRead(t *testing.T) {
	engine := &intercept{Engine: memory(t)}
	w := on(t, engine, "entra")
	ids := w.users(120)
	g := w.group("g")
	engine.once(func(c call) bool { return c.read && c.touches("M") }, func() {
		killer := faultstore.New(engine.Engine, nil)
		other := on(t, killer, "entra")
		killer.KillAfterWrites(4) // chunks, commit, two of four chunks applied
		_, _ = other.patch(group, g, add(ids...))
	})
	if got := len(w.members(g)); got != 0 && got != 120 {
		t.Errorf("a reader saw %d members", got)
	}
	w.settled()
	w.same("members", w.members(g), ids)
}

// TestStaleChangesRead has a large change end, and two small ones follow it, while a reader is between the large change
// and the members: it must not lay the large change over members that are newer.
func TestStaleChangesRead(t *testing.T) {
	engine := &intercept{Engine: memory(t)}
	w := on(t, engine, "entra")
	ids := w.users(122)
	one, two, many := ids[0], ids[1], ids[2:]
	g := w.group("g", one, two)
	killer := faultstore.New(engine.Engine, nil)
	killer.KillAfterWrites(2) // chunks, commit
	_, _ = on(t, killer, "entra").put(group, g, groupBody("g", append([]string{two}, many...)...))
	if got := w.members(g); len(got) != 121 || slices.Contains(got, one) {
		t.Fatalf("the large change is not open: %d members", len(got))
	}
	var chunks atomic.Bool
	engine.once(func(c call) bool {
		chunks.Store(chunks.Load() || c.read && c.touches("PC"))
		return chunks.Load() && c.read && c.touches("M")
	}, func() {
		other := on(t, engine.Engine, "entra")
		w.ok(nil, other.dir.RollForward(context.Background(), w.tenant.ID))
		w.ok(other.patch(group, g, add(one)))
		w.ok(other.patch(group, g, drop(two)))
	})
	got := w.members(g)
	if !engine.done() {
		t.Fatal("the reader did not read the open change first")
	}
	w.same("members", got, append(slices.Clone(many), one))
	w.settled()
}

// TestDeletedUserInOpenChange: a user who is deleted while a large change still is to add it is never shown.
func TestDeletedUserInOpenChange(t *testing.T) {
	killer := faultstore.New(memory(t), nil)
	w := on(t, killer, "entra")
	ids := w.users(120)
	inner := w.group("inner")
	g := w.group("g")
	w.killed = true
	for n := 1; ; n++ { // until it is killed just after the commit
		killer.KillAfterWrites(n)
		_, _ = w.patch(group, g, add(append(ids, inner)...))
		killer.Revive()
		if len(w.members(g)) == 121 {
			break
		}
	}
	for _, id := range []string{ids[0], ids[119]} {
		w.ok(nil, w.remove(user, id))
	}
	w.ok(nil, w.remove(group, inner))
	w.same("members", w.members(g), ids[1:119])
	w.settled()
	w.same("members", w.members(g), ids[1:119])
}

// TestDeletedUserInOpenSwap: a large change that adds as many members as it removes keeps the group's number of members
// right if one of the added users is deleted before the change is rolled forward.
func TestDeletedUserInOpenSwap(t *testing.T) {
	killer := faultstore.New(memory(t), nil)
	w := on(t, killer, "entra")
	ids := w.users(240)
	g := w.group("g", ids[:120]...)
	w.killed = true
	for n := 1; ; n++ { // until it is killed just after the commit
		killer.KillAfterWrites(n)
		_, _ = w.put(group, g, groupBody("g", ids[120:]...))
		killer.Revive()
		if slices.Contains(w.members(g), ids[120]) {
			break
		}
	}
	w.ok(nil, w.remove(user, ids[120]))
	w.settled()
	w.same("members", w.members(g), ids[121:])
}

// TestLateHelper runs two roll-forwards of one deletion and one large change against each other.
func TestLateHelper(t *testing.T) {
	w := in(t)
	ids := w.users(100)
	g := w.group("g", ids...)
	together(8, func(i int) {
		switch i {
		case 0:
			w.ok(w.put(group, g, groupBody("g", ids[50:99]...)))
			w.ok(w.patch(group, g, add(ids[:50]...)))
		case 1:
			w.ok(nil, w.remove(user, ids[99]))
		default:
			for range 20 {
				w.ok(nil, w.dir.RollForward(context.Background(), w.tenant.ID))
			}
		}
	})
	w.same("members", w.members(g), ids[:99])
	w.settled()
}

// TestCompletedWorkGoes: lingering items do not pile up.
func TestCompletedWorkGoes(t *testing.T) {
	w := in(t)
	now := time.Now()
	w.clock = func() time.Time { return now }
	w.restart()
	ids := w.users(30)
	g := w.group("g", ids...)
	for _, id := range ids[1:] {
		w.ok(nil, w.remove(user, id))
		now = now.Add(time.Minute)
		w.members(g)
		if w.background() {
			w.ok(nil, w.dir.RollForward(context.Background(), w.tenant.ID))
		}
	}
	n := 0
	for key := range w.items() {
		if strings.HasSuffix(key.PK, "#P") {
			n++
		}
	}
	if n > 2 {
		t.Errorf("%d pieces of completed work are still there", n)
	}
}

// TestDeleteAnswersAtOnce: deleting who is in many groups costs the request little, and is complete for every reader.
func TestDeleteAnswersAtOnce(t *testing.T) {
	w := in(t)
	u, other := w.user("u"), w.user("other")
	var groups []string
	for i := range 200 {
		groups = append(groups, w.group(fmt.Sprintf("g%03d", i), u, other))
	}
	ctx, total := directory.Metered(context.Background())
	w.ok(nil, w.dir.Delete(ctx, w.tenant, user, u, nil))
	if c := total(); c.Calls > 60 {
		t.Errorf("it took %d calls", c.Calls)
	}
	if !w.background() {
		t.Error("nobody was told of the rest")
	}
	for _, g := range []string{groups[0], groups[199]} {
		w.same("members", w.members(g), []string{other})
	}
	w.settled()
	big := w.group("big")
	w.plant(big, 2000)
	ctx, total = directory.Metered(context.Background())
	w.ok(nil, w.dir.Delete(ctx, w.tenant, group, big, nil))
	if c := total(); c.Calls > 60 {
		t.Errorf("it took %d calls", c.Calls)
	}
	w.settled()
}

// TestVersions: a request that changes nothing makes no version, and If-Match holds.
func TestVersions(t *testing.T) {
	w := in(t)
	ids := w.users(130)
	g := w.group("g", ids[:100]...)
	unchanged := func(what string, err error) {
		t.Helper()
		w.ok(nil, err)
		if v := w.get(group, g).Version; v != 1 {
			t.Errorf("%s made version %d", what, v)
		}
	}
	_, err := w.put(group, g, groupBody("g", ids[:100]...))
	unchanged("the same PUT", err)
	_, err = w.patch(group, g, add(ids[:3]...))
	unchanged("adding who is there", err)
	_, err = w.patch(group, g, drop(ids[100:]...))
	unchanged("removing who is not there", err)
	_, err = w.patch(group, g, drop(ids[0])+","+add(ids[0]))
	unchanged("removing and adding", err)
	before := w.get(group, g)
	res, err := w.patch(group, g, add(ids[100:]...), `W/"1"`)
	w.ok(res, err)
	after := w.get(group, g)
	if after.Version != 2 || after.Modified.Before(before.Modified) ||
		after.Modified.UnixMilli() != res.Modified.UnixMilli() {
		t.Errorf("version %d at %v, answered %v", after.Version, after.Modified, res.Modified)
	}
	for _, ops := range []string{add("x"), drop(ids...), `{"op":"remove","path":"members"}`} {
		if _, err := w.patch(group, g, ops, `W/"1"`); status(err) != 412 {
			t.Errorf("stale If-Match: %v", err)
		}
	}
	if !slices.Equal(w.members(g), sorted(ids...)) {
		t.Error("the members changed")
	}
	w.settled()
}

// TestKilledInLargeChange kills a change of 2,500 members at several places, and reads and repeats it on the rest.
func TestKilledInLargeChange(t *testing.T) {
	const n = 2500
	for _, at := range []int{3, 8, 24} {
		t.Run(fmt.Sprintf("before write %d", at), func(t *testing.T) {
			t.Parallel()
			killer := faultstore.New(memory(t), nil)
			w := on(t, killer, "entra")
			w.killed = true
			g := w.group("g")
			ids := w.plant(g, n)
			killer.KillAfterWrites(at)
			_, err := w.put(group, g, groupBody("renamed", ids[:10]...))
			if !killer.Killed() {
				t.Fatal("it was over before")
			}
			killer.Revive()
			res := w.get(group, g)
			done := res.Doc["displayName"] == "renamed"
			want := ids
			if done {
				want = ids[:10]
			}
			w.same("members", values(res.Doc["members"]), want)
			if len(w.groups(ids[n-1])) == 1 == done {
				t.Errorf("the last user is in the group: %v", !done)
			}
			if err == nil && !done {
				t.Error("it was acknowledged and did not happen")
			}
			w.ok(w.patch(group, g, add(w.user("later"))))
			w.settled()
			w.same("members", w.members(g), append(want[:len(want):len(want)], w.only(user, `userName eq "later"`)))
		})
	}
}

// TestMembersInOrder: members are in order of value, also while a large change is only in part rolled forward.
func TestMembersInOrder(t *testing.T) {
	for _, at := range []int{3, 4, 5, 6} {
		killer := faultstore.New(memory(t), nil)
		w := on(t, killer, "entra")
		w.killed = true
		ids := sorted(w.users(240)...)
		var even, odd []string
		for i, id := range ids {
			if i%2 == 0 {
				even = append(even, id)
			} else {
				odd = append(odd, id)
			}
		}
		g := w.group("g")
		w.ok(w.patch(group, g, add(even...)))
		w.settled()
		killer.KillAfterWrites(at)
		_, _ = w.patch(group, g, add(odd...))
		killer.Revive()
		list, _ := decoded(w.get(group, g).Doc["members"]).([]any)
		got := make([]string, len(list))
		for i, m := range list {
			got[i], _ = m.(scim.Object)["value"].(string)
		}
		if !slices.IsSorted(got) || len(got) != len(even) && len(got) != len(ids) {
			t.Errorf("killed before write %d: %d members, in order: %v", at, len(got), slices.IsSorted(got))
		}
		w.settled()
		w.same("members", w.members(g), ids)
	}
}
