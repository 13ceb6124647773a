package directory_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
)

// swapped is a resource that changes between two forms, each by one request, and the queries meanwhile.
type swapped struct {
	w      *world
	engine *intercept
	rt     *schema.ResourceType
	id     string
	mu     sync.Mutex // one swap at a time: calls to the engine may be in parallel
	form   int        // the form that it has now, 0 or 1

	// change turns it into each of its forms: a PATCH of the resource ofID of type of, or a call of move.
	change [2]string
	of     *schema.ResourceType
	ofID   string
	move   func(form int)
}

func (s *swapped) swap() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn()
}

// turn is swap for who holds the lock.
func (s *swapped) turn() {
	s.form = 1 - s.form
	if s.move != nil {
		s.move(s.form)
		return
	}
	s.w.ok(s.w.patch(s.of, s.ofID, s.change[s.form]))
}

// during does something while the resource is swapped before the calls to the engine with these numbers, and counts the
// calls.
func (s *swapped) during(do func(), at ...int) (calls int) {
	var hook func(call)
	hook = func(call) {
		s.engine.mu.Lock()
		calls++
		now := slices.Contains(at, calls)
		if now {
			s.engine.before = nil
		}
		s.engine.mu.Unlock()
		if now && s.mu.TryLock() { // else this is a call of a swap, or beside one
			s.turn()
			s.mu.Unlock()
			s.engine.mu.Lock()
			s.engine.before = hook
			s.engine.mu.Unlock()
		}
	}
	s.engine.mu.Lock()
	s.engine.before = hook
	s.engine.mu.Unlock()
	do()
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	s.engine.before = nil
	return calls
}

// answers sends a query under a filter and tests the answer against it.
func (w *world) answers(rt *schema.ResourceType, a asked, q directory.ListQuery) {
	w.t.Helper()
	e, err := filter.Parse(a.filter, w.tenant.Dialect)
	w.ok(nil, err)
	m, err := filter.Bind(e, rt, w.tenant.Dialect)
	w.ok(nil, err)
	q.Filter, q.StartIndex = e, 1
	list, err := w.dir.List(context.Background(), w.tenant, rt, q)
	if err != nil {
		w.t.Errorf("%s: %v", a.filter, err)
	}
	if a.found >= 0 && (list.Total != a.found || q.Count > 0 && len(list.Resources) != a.found) {
		w.t.Errorf("%s finds %d of %d, want %d", a.filter, len(list.Resources), list.Total, a.found)
	}
	hidden := q.Selection != nil && (strings.Contains(a.filter, "members") || strings.Contains(a.filter, "groups"))
	for _, res := range list.Resources {
		doc := object{}
		for name, v := range res.Doc {
			doc[name] = decoded(v)
		}
		if !hidden && !m.Match(doc) {
			w.t.Errorf("%s finds %v", a.filter, doc)
		}
	}
}

// asked is a filter; found is how many times it finds the resource in any of its forms, -1 if that depends on the form.
type asked struct {
	filter string
	found  int
}

// hold runs a query with every swap of the resource, and every two or three if asked for, between its calls to the
// engine. No answer may contain the resource in a form that the filter does not match, and none may leave out a
// resource that both forms match.
func (s *swapped) hold(swaps int, a asked, q directory.ListQuery) {
	t := s.w.t
	t.Helper()
	check := func(at ...int) (calls int) {
		t.Helper()
		calls = s.during(func() { s.w.answers(s.rt, a, q) }, at...)
		if t.Failed() {
			t.Fatalf("swapped before calls %v", at)
		}
		return calls
	}
	for range 2 {
		most := check()
		for i := 1; i <= most; i++ {
			for j := i + 1; swaps > 1 && j <= most+2; j += slow.Rounds(1, 3) {
				check(i, j)
			}
		}
		for _, at := range triples(most, swaps > 2) {
			check(at...)
		}
		for i := 1; i <= most; i++ {
			check(i)
			s.swap()
		}
		s.swap() // and all of it again from the other form
	}
}

// triples are all three calls out of some, if asked for.
func triples(calls int, wanted bool) (at [][]int) {
	for i := 1; wanted && i <= calls; i++ {
		for j := i + 1; j <= calls+1; j++ {
			for k := j + 1; k <= calls+2; k++ {
				at = append(at, []int{i, j, k})
			}
		}
	}
	return at
}

// all holds the answers to filters while they are shown, hidden, sorted and counted; swaps is 2, or 3 for filters that
// ask two sources.
func (s *swapped) all(swaps int, filters []asked) {
	sel, err := s.rt.Projection(nil, []string{"members", "groups"})
	s.w.ok(nil, err)
	t := s.w.t.(*testing.T)
	defer func() { s.w.t = t }()
	for _, a := range filters {
		for name, q := range map[string]directory.ListQuery{
			"shown": {Count: 10}, "hidden": {Count: 10, Selection: sel},
			"sorted": {Count: 10, SortBy: "meta.created"}, "count": {},
		} {
			t.Run(name, func(t *testing.T) {
				s.w.t = t
				switch part := name == "sorted" || name == "count"; { // of the resources that the others read
				case !part:
					s.hold(swaps, a, q)
				case swaps > 1:
					s.hold(1, a, q)
				}
			})
		}
	}
}

func swapping(t *testing.T, rt *schema.ResourceType, first string, change [2]string) *swapped {
	engine := &intercept{Engine: memory(t)}
	w := on(t, engine, "generic")
	res, err := w.create(rt, first)
	w.ok(nil, err)
	return &swapped{w: w, engine: engine, rt: rt, id: res.ID, of: rt, ofID: res.ID, change: change}
}

// TestFilterWhileUserIsRenamed tests answers against their filters while the values asked for change.
func TestFilterWhileUserIsRenamed(t *testing.T) {
	form := func(x string) string {
		return fmt.Sprintf(`{"op":"replace","value":{"userName":"t%s","externalId":"e%s",`+
			`"emails":[{"value":"%s@example.com","type":"work"}],"title":%q}}`, x, x, x, strings.Repeat(x, 2000))
	}
	s := swapping(t, user, userBody("ta", `"externalId":"ea"`, `"emails":[{"value":"a@example.com","type":"work"}]`),
		[2]string{form("a"), form("b")})
	s.w.user("other", `"externalId":"other"`)
	s.all(2, []asked{
		{`userName eq "ta"`, -1},
		{`externalId eq "ea"`, -1},
		{`emails.value eq "a@example.com"`, -1},
		{`emails[type eq "work"].value eq "a@example.com"`, -1},
		{`userName sw "ta"`, -1},
		{`externalId sw "ea"`, -1},
		{`userName eq "ta" and externalId eq "ea"`, -1},
		{`userName eq "ta" and active pr`, -1},
		{`externalId eq "ea" and emails.value eq "a@example.com"`, -1},
		{`title co "b" and externalId sw "e"`, -1},
		{`userName eq "ta" and userName eq "tb"`, 0},
		{`userName eq "ta" and externalId eq "eb"`, 0},
		{`externalId eq "ea" and externalId eq "eb"`, 0},
		{`externalId sw "ea" and emails.value eq "b@example.com"`, 0},
		{`userName eq "ta" or userName eq "tb"`, 1},
		{`externalId eq "ea" or emails.value eq "b@example.com"`, 1},
		{`externalId eq "ea" or externalId eq "eb" or userName eq "x"`, 1},
		{`userName sw "t"`, 1},
		{`externalId sw "e"`, 1},
		{`title co "a" or userName eq "tb"`, 1},
		{`userName eq "other"`, 1},
		{`not (userName eq "other")`, 1},
	})
}

// TestFilterWhileUserIsRenamedAmongMany does so for values in a range that takes several pages of the engine: the new
// value is on a page before that of the old one, or after it.
func TestFilterWhileUserIsRenamedAmongMany(t *testing.T) {
	form := func(x string) string {
		return fmt.Sprintf(`{"op":"replace","value":{"userName":"t%s","externalId":"e%s"}}`, x, x)
	}
	s := swapping(t, user, userBody("ta", `"externalId":"ea"`), [2]string{form("a"), form("z")})
	s.w.user("tm", `"externalId":"em"`)
	s.engine.page = 1
	s.all(1, []asked{
		{`userName sw "t"`, 2},
		{`externalId sw "e" and userName sw "t"`, 2},
	})
}

// TestFilterWhileGroupChanges does so for the name and the members of a group.
func TestFilterWhileGroupChanges(t *testing.T) {
	s := swapping(t, group, groupBody("ta"), [2]string{})
	a, b := s.w.user("a"), s.w.user("b")
	form := func(x, member string) string {
		const form = `{"op":"replace","value":{"displayName":"t%s","externalId":"e%s","members":%s}}`
		return fmt.Sprintf(form, x, x, listed(member))
	}
	s.change = [2]string{form("a", a), form("b", b)}
	s.w.ok(s.w.patch(group, s.id, s.change[0]))
	inA, inB := fmt.Sprintf("members.value eq %q", a), fmt.Sprintf("members[value eq %q]", b)
	s.all(2, []asked{
		{`displayName eq "ta"`, -1},
		{`displayName sw "ta"`, -1},
		{`externalId eq "ea"`, -1},
		{inA, -1},
		{inA + ` and displayName eq "ta"`, -1},
		{inA + ` and externalId pr`, -1},
		{`members.display co "a"`, -1},
		{inA + " and " + inB, 0},
		{inA + " or " + inB, 1},
		{inA + ` or displayName eq "tb"`, 1},
		{`displayName eq "ta" or displayName eq "tb"`, 1},
	})
	ref, swaps := fmt.Sprintf("members.$ref ew %q", a), 2
	if slow.Volume(t, "three swaps of a group during a filter") {
		swaps = 3
	}
	s.all(swaps, []asked{
		{inA + ` and displayName eq "tb"`, 0},
		{inA + ` and externalId eq "eb"`, 0},
		{ref + ` and displayName co "b"`, 0},
		{ref + ` or displayName co "b"`, 1},
		{ref + ` and displayName eq "tb"`, 0},
		{fmt.Sprintf(`not (%s) and not (displayName co "b")`, ref), 0},
	})
}

// TestFilterWhileMembershipsChange does so for the groups of a user.
func TestFilterWhileMembershipsChange(t *testing.T) {
	s := swapping(t, user, userBody("u", `"externalId":"e"`), [2]string{})
	g := s.w.group("g", s.id)
	kept := s.w.group("kept", s.id)
	s.of, s.ofID, s.change = group, g, [2]string{add(s.id), drop(s.id)}
	s.all(2, []asked{
		{fmt.Sprintf("groups.value eq %q", g), -1},
		{fmt.Sprintf("groups[value eq %q] and externalId eq \"e\"", g), -1},
		{fmt.Sprintf("groups.value eq %q", kept), 1},
		{fmt.Sprintf("groups.value eq %q or groups.value eq %q", g, kept), 1},
		{fmt.Sprintf("groups.display co \"g\" and not (groups.value eq %q)", g), -1},
	})
}

// TestFilterWhileUserMovesBetweenGroups does so for the groups of a user who moves from one to the other and back: by
// two changes, of which that comes first which is named.
func TestFilterWhileUserMovesBetweenGroups(t *testing.T) {
	moving := func(t *testing.T, first string) (*swapped, [2]string) {
		s := swapping(t, user, userBody("u", `"externalId":"e"`), [2]string{})
		s.engine.single = true
		groups := [2]string{s.w.group("ga", s.id), s.w.group("gb")}
		s.move = func(form int) {
			join := func() { s.w.ok(s.w.patch(group, groups[form], add(s.id))) }
			leave := func() { s.w.ok(s.w.patch(group, groups[1-form], drop(s.id))) }
			if first == "join" {
				join()
				leave()
			} else {
				leave()
				join()
			}
		}
		return s, groups
	}
	swaps := slowSwaps(t)
	in := func(group string) string { return fmt.Sprintf("groups.value eq %q", group) }
	t.Run("join first", func(t *testing.T) {
		s, g := moving(t, "join")
		s.all(swaps, []asked{
			{in(g[0]) + " or " + in(g[1]) + ` and externalId eq "e"`, 1},
			{`groups.display co "ga" or ` + in(g[1]), 1},
			{fmt.Sprintf(`userName eq "u" and not (%s) and not (%s)`, in(g[0]), in(g[1])), 0},
		})
	})
	t.Run("leave first", func(t *testing.T) {
		s, g := moving(t, "leave")
		s.all(swaps, []asked{
			{in(g[0]) + " and " + in(g[1]), 0},
			{`groups.display co "ga" and ` + in(g[1]), 0},
		})
	})
}

// TestFilterWhileGroupsOfUserAreRenamed does so for the names of a user's groups: the user is in a group named x all
// the time, as one is joined and another renamed.
func TestFilterWhileGroupsOfUserAreRenamed(t *testing.T) {
	s := swapping(t, user, userBody("u", `"externalId":"e"`), [2]string{})
	a, b := s.w.group("x", s.id), s.w.group("x too")
	rename := func(name string) {
		s.w.ok(s.w.patch(group, a, fmt.Sprintf(`{"op":"replace","path":"displayName","value":%q}`, name)))
	}
	swaps := slowSwaps(t)
	s.move = func(form int) {
		if form == 1 {
			s.w.ok(s.w.patch(group, b, add(s.id)))
			rename("y")
		} else {
			rename("x")
			s.w.ok(s.w.patch(group, b, drop(s.id)))
		}
	}
	s.all(swaps, []asked{
		{`groups.display sw "x"`, 1},
		{`groups.display sw "x" and externalId eq "e"`, 1},
		{`not (groups.display sw "x")`, 0},
	})
}

// TestFilterWhileLongGroupsChange does so for members that take several pages of the engine: the group has the first or
// the last of them, on different pages, and neither page alone says which.
func TestFilterWhileLongGroupsChange(t *testing.T) {
	s := swapping(t, group, groupBody("crew"), [2]string{})
	users := []string{s.w.user("a"), s.w.user("b"), s.w.user("c")}
	slices.Sort(users)
	s.change = [2]string{members(users[0], users[1]), members(users[1], users[2])}
	s.w.ok(s.w.patch(group, s.id, s.change[0]))
	s.w.group("before", users[1], users[2])
	s.engine.page = 1
	first, last := fmt.Sprintf("members.$ref ew %q", users[0]), fmt.Sprintf("members.$ref ew %q", users[2])
	s.all(1, []asked{
		{fmt.Sprintf("not (%s or %s)", first, last), 0},
		{fmt.Sprintf("%s and %s", first, last), 0},
		{fmt.Sprintf(`%s or (%s and displayName eq "crew")`, first, last), 1},
	})
}

// TestFilterWhileManyGroupsOfUserChange does so for groups of a user that take several pages of the engine, read for
// the user alone or for a range of users: the user leaves the last of them for the first, or the other way round.
func TestFilterWhileManyGroupsOfUserChange(t *testing.T) {
	for _, page := range []int{1, 10} {
		engine := &intercept{Engine: memory(t)}
		w := on(t, engine, "generic")
		var made atomic.Int64
		w.dir = directory.New(store.New(engine, store.Options{MaxWait: patience}), directory.Options{
			Now: w.clock, MaxScan: patience, MaxWait: patience, Background: func(string) {},
			NewID: func() string { return fmt.Sprintf("%036d", made.Add(1)) }, // in one range
		})
		w.group("others", w.users(page-1)...) // the page ends with the first group of the user
		s := &swapped{w: w, engine: engine, rt: user, id: w.user("u")}
		groups := []string{w.group("a", s.id), w.group("b", s.id), w.group("c")}
		s.move = func(form int) {
			w.ok(w.patch(group, groups[2*form], add(s.id)))
			w.ok(w.patch(group, groups[2-2*form], drop(s.id)))
		}
		engine.page = page
		first, last := fmt.Sprintf("groups.$ref ew %q", groups[0]), fmt.Sprintf("groups.$ref ew %q", groups[2])
		s.all(1, []asked{
			{fmt.Sprintf("%s or %s", first, last), 1},
			{fmt.Sprintf(`userName eq "u" and not (%s) and not (%s)`, first, last), 0},
		})
	}
}

// members replaces all members of a group.
func members(ids ...string) string {
	return fmt.Sprintf(`{"op":"replace","path":"members","value":%s}`, listed(ids...))
}

// slowSwaps is how often a resource that changes twice a swap is swapped during a query.
func slowSwaps(t *testing.T) int {
	if slow.Volume(t, "two swaps of two changes each during a filter") {
		return 2
	}
	return 1
}

// TestSortedWhileUsersChange: a list in order of names shows nobody twice who is renamed while it is read, and nobody
// who is deleted.
func TestSortedWhileUsersChange(t *testing.T) {
	for at := 1; at <= 12; at++ {
		engine := &intercept{Engine: memory(t), page: 2}
		w := on(t, engine, "generic")
		var ids []string
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			ids = append(ids, w.user(name))
		}
		var calls atomic.Int64
		engine.once(func(call) bool { return calls.Add(1) == int64(at) }, func() {
			w.ok(w.patch(user, ids[0], `{"op":"replace","path":"userName","value":"z"}`))
			w.ok(nil, w.remove(user, ids[2]))
		})
		list, err := w.dir.List(t.Context(), w.tenant, user,
			directory.ListQuery{SortBy: "userName", StartIndex: 1, Count: 10})
		w.ok(nil, err)
		found := map[string]int{}
		for _, res := range list.Resources {
			if found[res.ID]++; found[res.ID] > 1 {
				t.Errorf("changed before call %d: %v is there twice", at, res.Doc["userName"])
			}
		}
		for _, i := range []int{0, 1, 3, 4, 5} {
			if found[ids[i]] == 0 {
				t.Errorf("changed before call %d: user %d is missing", at, i)
			}
		}
	}
}

// TestFilterOfWhatKeepsChanging: a resource that matches throughout is found though it changes at each of many reads.
// If that goes on for too long, the query fails as busy: an answer without the resource would be wrong.
func TestFilterOfWhatKeepsChanging(t *testing.T) {
	s := swapping(t, group, groupBody("ta"), [2]string{})
	a, b := s.w.user("a"), s.w.user("b")
	form := func(x string, members ...string) string {
		return fmt.Sprintf(`{"op":"replace","value":{"displayName":"t%s","members":%s}}`, x, listed(members...))
	}
	s.change = [2]string{form("a", a, b), form("b", a)}
	s.w.ok(s.w.patch(group, s.id, s.change[0]))
	hidden, err := group.Projection(nil, []string{"members"})
	s.w.ok(nil, err)
	for _, expr := range []string{
		fmt.Sprintf(`members.$ref ew %q or displayName co "b"`, b),
		fmt.Sprintf(`members.value eq %q and displayName co "t"`, a),
		fmt.Sprintf(`members.value eq %q and members.$ref ew %q and displayName co "t"`, a, a),
	} {
		for name, q := range map[string]directory.ListQuery{
			"shown": {Count: 10}, "hidden": {Count: 10, Selection: hidden}, "count": {},
		} {
			t.Run(name, func(t *testing.T) {
				s.w.t = t
				var calls []int
				for n := 1; n <= 30; n++ {
					calls = append(calls, n)
				}
				s.during(func() { s.w.answers(group, asked{expr, 1}, q) }, calls...)
				for n := 31; n <= 1000; n++ {
					calls = append(calls, n)
				}
				q.Filter, err = filter.Parse(expr, s.w.tenant.Dialect)
				s.w.ok(nil, err)
				q.StartIndex = 1
				s.during(func() {
					list, err := s.w.dir.List(t.Context(), s.w.tenant, group, q)
					if err == nil && list.Total != 1 || err != nil && !directory.IsBusy(err) {
						t.Errorf("%s finds %d: %v", expr, list.Total, err)
					}
				}, calls...)
			})
		}
	}
}

// TestFilterAmongWriters asks, on each engine, while somebody renames a user and changes a group all the time. One
// reader lets at most two changes of each into a query, and so has to find all that matched throughout (see package
// query); the other one does not, and must only find nothing that does not match.
func TestFilterAmongWriters(t *testing.T) {
	t.Run("bolt", func(t *testing.T) { filterAmongWriters(t, memory(t), 100) })
	t.Run("dynamo", func(t *testing.T) {
		slow.Test(t, "DynamoDB Local takes some seconds for it")
		client := dynamolocal.Client(t)
		filterAmongWriters(t, dynamostore.New(client, dynamolocal.Table(t, client)), 3)
	})
}

func filterAmongWriters(t *testing.T, engine store.Engine, times int) {
	w := on(t, engine, "generic")
	u := w.user("ta", `"externalId":"ea"`)
	a, b := w.user("a"), w.user("b")
	g := w.group("ga", a)
	userForm := func(x string) string {
		return fmt.Sprintf(`{"op":"replace","value":{"userName":"t%s","externalId":"e%s"}}`, x, x)
	}
	groupForm := func(x, member string) string {
		return fmt.Sprintf(`{"op":"replace","value":{"displayName":"g%s","members":%s}}`, x, listed(member))
	}
	ofUser, ofGroup := [2]string{userForm("b"), userForm("a")}, [2]string{groupForm("b", b), groupForm("a", a)}
	var stop atomic.Bool
	turns := [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)} // one is under way, and one may wait
	together(4, func(i int) {
		for n := 0; i < 2; n++ {
			if _, open := <-turns[i]; !open {
				return
			}
			if i == 0 {
				w.ok(w.patch(user, u, ofUser[n%2]))
			} else {
				w.ok(w.patch(group, g, ofGroup[n%2]))
			}
		}
		if i == 2 {
			defer func() {
				stop.Store(true)
				close(turns[0])
				close(turns[1])
			}()
		}
		for n := 0; i == 2 && n < times || i == 3 && !stop.Load(); n++ {
			for _, c := range []struct {
				rt *schemaType
				asked
			}{
				{user, asked{`userName eq "ta"`, -1}},
				{user, asked{`externalId eq "ea"`, -1}},
				{user, asked{`userName sw "ta"`, -1}},
				{user, asked{`userName eq "ta" or userName eq "tb"`, 1}},
				{user, asked{`externalId eq "ea" or externalId eq "eb"`, 1}},
				{user, asked{`userName eq "ta" and externalId eq "eb"`, 0}},
				{user, asked{`userName sw "t"`, 1}},
				{group, asked{`displayName eq "ga" or displayName eq "gb"`, 1}},
				{group, asked{fmt.Sprintf(`members.value eq %q and members.value eq %q`, a, b), 0}},
				{group, asked{fmt.Sprintf(`members.value eq %q or members.value eq %q`, a, b), 1}},
				{group, asked{fmt.Sprintf(`members.value eq %q and displayName eq "ga"`, a), -1}},
				{group, asked{fmt.Sprintf(`members.value eq %q and displayName eq "gb"`, a), 0}},
			} {
				if i == 3 && c.found > 0 {
					c.found = -1
				} else if i == 2 {
					for _, turn := range turns {
						select {
						case turn <- struct{}{}:
						default:
						}
					}
				}
				w.answers(c.rt, c.asked, directory.ListQuery{Count: 10})
			}
		}
	})
}
