package local_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// TestMembershipWalksUnderConcurrentWrites walks memberships with cursors and by start index while others add and
// remove members, one by one and so many at once that they are rolled forward in steps, and delete users and groups:
// each membership that exists throughout is seen exactly once, any other at most once.
func TestMembershipWalksUnderConcurrentWrites(t *testing.T) {
	a := withMemberships(t, open(t), "acme", "generic")
	users := a.users(240)
	stay, others := users[:100], users[100:200]
	groups := []string{a.group("a", stay), a.group("b", stay), a.group("c", stay)}
	ann := stay[7]
	for i := range 20 {
		groups = append(groups, a.group(fmt.Sprintf("of-ann-%d", i), stay[:10]))
	}
	turns := make(chan int, 8)
	var turn atomic.Int64
	a.eachPage = func() {
		for range cap(turns) {
			select {
			case turns <- int(turn.Add(1)):
			default:
				return
			}
		}
	}
	retried := func(method, path, body string) (int, object) {
		for {
			if status, out := a.do(method, path, body); status != 503 {
				return status, out
			}
		}
	}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range turns {
				g := groups[(w+i)%3]
				switch i % 4 {
				case 0: // open work
					op := []string{"add", "remove"}[i/4%2]
					retried("PATCH", "/Groups/"+g, patchBody(fmt.Sprintf(`{"op":%q,"path":"members","value":%s}`, op,
						members(others))))
				case 1:
					body := membershipBody(g, users[200+(i+w)%40])
					if status, made := retried("POST", "/GroupMemberships", body); status == 201 {
						retried("DELETE", "/GroupMemberships/"+made["id"].(string), "")
					}
				case 2:
					id := a.user(fmt.Sprintf("short-lived-%d-%d", w, i))
					retried("POST", "/GroupMemberships", membershipBody(g, id))
					retried("DELETE", "/Users/"+id, "")
				case 3:
					id := a.group(fmt.Sprintf("short-lived-%d-%d", w, i), append([]string{ann}, others[:3]...))
					retried("DELETE", "/Groups/"+id, "")
				}
			}
		})
	}
	defer writers.Wait()
	defer close(turns)
	for _, walk := range []struct {
		path string
		want func(group, value string) bool
	}{
		{filtered("group.value eq %q", groups[0]), func(group, _ string) bool { return group == groups[0] }},
		{
			filtered("group.value eq %q and member.type eq \"User\"", groups[1]),
			func(group, _ string) bool { return group == groups[1] },
		},
		{filtered("member.value eq %q", ann), func(_, value string) bool { return value == ann }},
		{"/GroupMemberships", func(string, string) bool { return true }},
	} {
		for _, method := range []string{"cursor", "index"} {
			seen := a.pairs(walk.path, method, 17)
			for i, g := range groups {
				values := stay
				if i > 2 {
					values = stay[:10]
				}
				for _, v := range values {
					if walk.want(g, v) && seen[g+" "+v] != 1 {
						t.Errorf("%s by %s shows a membership %d times that is there throughout", walk.path,
							method, seen[g+" "+v])
					}
				}
			}
			for pair, n := range seen {
				if group, value, _ := strings.Cut(pair, " "); n != 1 || !walk.want(group, value) {
					t.Errorf("%s by %s shows %s %d times", walk.path, method, pair, n)
				}
			}
		}
	}
}

// TestMembershipsOfOpenWork kills a server in the middle of large changes: a committed change shows at once, in every
// view and on every page, though little of it is stored as members yet.
func TestMembershipsOfOpenWork(t *testing.T) {
	inner, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inner.Close() }()
	engine := faultstore.New(inner, nil)
	a := on(t, engine, "generic")
	a.switchMemberships("true")
	users := a.users(300)
	var groups []string
	for i := range 3 {
		groups = append(groups, a.group(fmt.Sprintf("g%d", i), users[i*10:i*10+100]))
	}
	// Each change is committed, and one or two of its chunks are applied.
	want := map[string][]string{groups[0]: users[:100], groups[1]: users[10:110], groups[2]: users[20:120]}
	change := func(g, body string, left []string) {
		engine.KillAfterWrites(4)
		a.do("PATCH", "/Groups/"+g, body)
		if !engine.Killed() {
			t.Error("the change came to its end")
		}
		if err := a.s.Close(); err != nil { // a process that was killed does nothing in the background either
			t.Fatal(err)
		}
		engine.Revive()
		want[g] = left
		b := a.again(engine)
		b.openWorkAgrees(want)
		a = b
	}
	change(groups[0], patchBody(`{"op":"add","path":"members","value":`+members(users[100:290])+`}`), users[:290])
	change(groups[2], patchBody(`{"op":"replace","path":"members","value":`+members(users[110:299])+`}`), users[110:299])
	// A user who is still to be added is deleted.
	a.must(204, "DELETE", "/Users/"+users[280], "")
	for g, values := range want {
		want[g] = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == users[280] })
	}
	for path := range map[string]int{
		filtered("member.value eq %q", users[280]):                                  0,
		filtered("group.value eq %q and member.value eq %q", groups[0], users[280]): 0,
	} {
		if n := a.must(200, "GET", path, "")["totalResults"]; n != 0.0 {
			t.Errorf("%s: %v memberships of who was deleted", path, n)
		}
	}
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.openWorkAgrees(want)
	a.agree()
}

// openWorkAgrees holds every view of memberships against the members by group.
func (a *api) openWorkAgrees(want map[string][]string) {
	a.t.Helper()
	everything := map[string]int{}
	for g, values := range want {
		for _, v := range values {
			everything[g+" "+v] = 1
		}
		for _, method := range []string{"cursor", "index"} {
			seen := a.pairs(filtered("group.value eq %q", g), method, 40)
			if len(seen) != len(values) {
				a.t.Errorf("group %s by %s: %d memberships, want %d", g, method, len(seen), len(values))
			}
			for _, v := range values {
				if seen[g+" "+v] != 1 {
					a.t.Errorf("group %s by %s: member %s is shown %d times", g, method, v, seen[g+" "+v])
				}
			}
		}
		for _, v := range []string{values[0], values[len(values)/2], values[len(values)-1]} {
			page := a.must(200, "GET", filtered("member.value eq %q and group.value eq %q", v, g), "")
			found := page["Resources"].([]any)
			if len(found) != 1 {
				a.t.Errorf("membership of %s in %s: %v", v, g, found)
				continue
			}
			shown := a.must(200, "GET", "/GroupMemberships/"+found[0].(object)["id"].(string), "")
			if fmt.Sprint(shown) != fmt.Sprint(found[0]) || at(shown, "meta", "created") == nil {
				a.t.Errorf("found %v, read %v", found[0], shown)
			}
			if in := a.pairs(filtered("member.value eq %q", v), "index", 1); in[g+" "+v] != 1 {
				a.t.Errorf("member %s is in %v", v, in)
			}
		}
	}
	for _, method := range []string{"cursor", "index"} {
		seen := a.pairs("/GroupMemberships", method, 37)
		if fmt.Sprint(sorted(seen)) != fmt.Sprint(sorted(everything)) {
			a.t.Errorf("all by %s: %d memberships, want %d", method, len(seen), len(everything))
		}
	}
}

// TestMembershipTotals: a cursor walk through more than is counted leaves the total out, an index walk says it.
func TestMembershipTotals(t *testing.T) {
	slow.Test(t, "it writes 12,000 members")
	slow.NoRace(t)
	s := metered(t)
	a := withMemberships(t, s, "acme", "generic")
	total := 0
	for i := range 2 {
		values := make([]string, 6000)
		for n := range values {
			values[n] = fmt.Sprintf("member-%05d", n)
		}
		a.group(fmt.Sprintf("g%d", i), values)
		settle(t, s)
		total += len(values)
	}
	first := a.must(200, "GET", "/GroupMemberships?count=1000&cursor=", "")
	if _, said := first["totalResults"]; said || first["nextCursor"] == nil {
		t.Errorf("totalResults %v, nextCursor %v", first["totalResults"], first["nextCursor"])
	}
	if seen := a.pairs("/GroupMemberships", "cursor", 1000); len(seen) != total {
		t.Errorf("a cursor walk shows %d, want %d", len(seen), total)
	}
	if n := a.must(200, "GET", "/GroupMemberships?count=3", "")["totalResults"]; n != float64(total) {
		t.Errorf("totalResults %v, want %d", n, total)
	}
	if n := a.must(200, "GET", filtered(`member.value ew "7"`)+"&count=3", "")["totalResults"]; n != float64(total/10) {
		t.Errorf("totalResults %v, want %d", n, total/10)
	}
}

func settle(t *testing.T, s *local.Server) {
	t.Helper()
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}
