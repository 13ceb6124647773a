package member_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

const teams = `{"members": {"invite": "automatic", "activeWhen": {"kinds": ["role"]},
	"exclude": {"users": "userName ew \"@out.example\""}},
	"kinds": {"team": {"create": true}, "role": {"create": true}}, "rules": [
	{"id": "role", "group": {"filter": "displayName eq \"Staff\""}, "assign": {"kind": "role", "target": "user"}},
	{"id": "team", "group": {"pattern": "^Team (?P<name>.+)$"}, "assign": {"kind": "team", "target": "${name}"}},
	{"id": "title", "user": {"value": "title"}, "assign": {"kind": "team", "target": "${value}"}}]}`

func op(kind patch.Kind, path string, value any) patch.Operation {
	o := patch.Operation{Kind: kind, Value: value, HasValue: value != nil}
	if path != "" {
		p, err := filter.ParsePath(path, scim.Dialect{})
		if err != nil {
			panic(err)
		}
		o.Path = &p
	}
	return o
}

func TestPublish(t *testing.T) {
	w := newWorld(t, teams)
	ada, err := w.user("ada", scim.Object{"title": "boss"})
	w.must(err)
	w.must(w.publish())
	w.check()
	staff, err := w.group("Staff", ada)
	w.must(err)
	_, err = w.group("Team Red", ada)
	w.must(err)
	w.must(w.publish())
	w.check()
	if got, want := w.published()[ada],
		"active ada ada - role user [role], team Red [team], team boss [title]"; got != want {
		t.Errorf("published %s, want %s", got, want)
	}
	w.must(w.remove(groupType, staff))
	w.must(w.remove(userType, ada))
	w.must(w.publish())
	w.check()
}

// steps makes random changes. Errors of the store are passed on.
func (w *world) steps(r *rand.Rand, n int, users, groups *[]string) error {
	for range n {
		pick := func(list []string) string { return list[r.IntN(len(list))] }
		var err error
		var id string
		switch kind := r.IntN(10); {
		case kind < 2 || len(*users) == 0:
			name := fmt.Sprintf("u%d@%s.example", r.IntN(1e9), []string{"in", "out"}[r.IntN(8)/7])
			if id, err = w.user(name, scim.Object{"title": fmt.Sprint("t", r.IntN(3))}); err == nil {
				*users = append(*users, id)
			}
		case kind == 2 || len(*groups) == 0:
			name := []string{"Staff", "Team Red", "Team Blue", "Other"}[r.IntN(4)]
			if id, err = w.group(name, pick(*users)); err == nil {
				*groups = append(*groups, id)
			}
		case kind == 3:
			err = w.patch(userType, pick(*users), op(patch.Replace, "title", fmt.Sprint("t", r.IntN(3))))
		case kind == 4:
			err = w.patch(userType, pick(*users), op(patch.Replace, "active", r.IntN(2) == 0))
		case kind == 8:
			err = w.patch(
				groupType,
				pick(*groups),
				op(patch.Replace, "displayName", []string{"Staff", "Team Red", "Team Green"}[r.IntN(3)]),
			)
		case kind == 9 && len(*groups) > 2 && r.IntN(3) == 0:
			i := r.IntN(len(*groups))
			err = w.remove(groupType, (*groups)[i])
			*groups = append((*groups)[:i], (*groups)[i+1:]...)
		case kind < 7:
			err = w.patch(groupType, pick(*groups), op(patch.Add, "members", []any{scim.Object{"value": pick(*users)}}))
		default:
			err = w.patch(
				groupType,
				pick(*groups),
				op(patch.Remove, fmt.Sprintf("members[value eq %q]", pick(*users)), nil),
			)
		}
		var known *scim.Error
		if err != nil && !errors.As(err, &known) {
			return err
		}
		if r.IntN(20) == 0 && len(*users) > 3 {
			i := r.IntN(len(*users))
			if err := w.remove(userType, (*users)[i]); err != nil && !errors.As(err, &known) {
				return err
			}
			*users = append((*users)[:i], (*users)[i+1:]...)
		}
	}
	return nil
}

// TestPublishingIsKilledAnywhere kills the process after any number of calls to the engine, and goes on with a new one.
func TestPublishingIsKilledAnywhere(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(t, teams)
			r := rand.New(rand.NewPCG(seed, 1))
			var users, groups []string
			w.must(w.steps(r, 30, &users, &groups))
			for n := 0; ; n++ {
				w.must(w.steps(r, 3, &users, &groups))
				if n%7 == 0 {
					w.must(
						w.setPolicy(
							[]string{teams, strings.Replace(teams, "^Team", "^(?i)team", 1), "{}"}[r.IntN(3)],
							int64(n)+2,
						),
					)
				}
				w.engine.KillAfter(n % 25)
				err := w.publish()
				w.engine.Revive()
				if err != nil && !errors.Is(err, faultstore.ErrKilled) {
					t.Fatal(err)
				}
				w.restart()
				if n > 60 {
					break
				}
			}
			w.must(w.publish())
			w.check()
		})
	}
}

// TestPublishingUnderFaults publishes with conflicts, throttles and lost answers, several at once, while changes go on.
func TestPublishingUnderFaults(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { publishUnderFaults(t, newWorld(t, teams), seed, 150) })
	}
	t.Run("DynamoDB", func(t *testing.T) {
		slow.Test(t, "DynamoDB Local takes a minute for it")
		publishUnderFaults(t, worldOn(t, dynamolocal.Engine(t), teams), 9, 6)
	})
}

func publishUnderFaults(t *testing.T, w *world, seed uint64, changes int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	var users, groups []string
	w.must(w.steps(r, min(changes, 20), &users, &groups))
	w.engine.SetPlan(faultstore.Random(seed, 0.1))
	other := *w
	other.restart() // another process
	stop := make(chan struct{})
	var g errgroup.Group
	for _, p := range []*world{w, &other} {
		g.Go(func() error {
			for {
				select {
				case <-stop:
					return nil
				default:
					_ = p.publish() // after a failure the next one does it
				}
			}
		})
	}
	g.Go(func() error {
		defer close(stop)
		return w.steps(r, changes, &users, &groups)
	})
	_ = g.Wait() // a change may have failed for a fault
	w.engine.SetPlan(nil)
	w.must(w.dir.RollForward(context.Background(), "acme"))
	w.must(w.publish())
	w.check()
}

// TestReadIsExact reads a member right after a change.
func TestReadIsExact(t *testing.T) {
	w := newWorld(t, teams)
	ada, err := w.user("ada", nil)
	w.must(err)
	for n := range 30 {
		title := fmt.Sprint("t", n)
		w.must(w.patch(userType, ada, op(patch.Replace, "title", title)))
		m, found, err := w.s.Get(context.Background(), w.tenant, ada)
		w.must(err)
		if !found || len(m.Assignments) != 1 || m.Assignments[0].Name != title {
			t.Fatalf("after the change to %s: %+v", title, m.Assignments)
		}
	}
	w.check()
}

// TestLargeGroups changes groups that are larger than a transaction, and kills the publishing at each stage.
func TestLargeGroups(t *testing.T) {
	w := newWorld(t, teams)
	var ids []string
	for n := range slow.Rounds(250, 110) {
		id, err := w.user(fmt.Sprint("u", n), nil)
		w.must(err)
		ids = append(ids, id)
	}
	w.must(w.publish())
	staff, err := w.group("Staff", ids...)
	w.must(err)
	w.engine.KillAfter(20)
	_ = w.publish()
	w.engine.Revive()
	w.must(w.publish())
	w.check()
	for _, name := range []string{"Team Blue", "Staff"} {
		w.must(w.patch(groupType, staff, op(patch.Replace, "displayName", name)))
		m, found, err := w.s.Get(context.Background(), w.tenant, ids[77])
		w.must(err)
		if want := map[string]string{"Team Blue": "team", "Staff": "role"}[name]; !found ||
			m.Assignments[0].Kind != want {
			t.Errorf("right after the rename to %s: %+v", name, m.Assignments)
		}
		w.must(w.publish())
		w.check()
	}
	w.must(w.patch(groupType, staff, op(patch.Replace, "members", []any{scim.Object{"value": ids[0]}})))
	w.must(w.dir.RollForward(context.Background(), "acme"))
	w.must(w.publish())
	w.check()
	w.must(w.remove(groupType, staff))
	w.must(w.publish())
	w.check()
}

// TestLargeChangeIsKilled: the process dies right after the commit of a large change of a group that is new or renamed,
// before any step of its open work. Publishing does the steps: it has nothing left only if every member is published.
func TestLargeChangeIsKilled(t *testing.T) {
	w := newWorld(t, teams)
	ids, members := []string{}, []any{}
	for n := range 110 {
		id, err := w.user(fmt.Sprint("u", n), nil)
		w.must(err)
		ids, members = append(ids, id), append(members, scim.Object{"value": id})
	}
	w.must(w.publish())
	groups := func() []directory.GroupOf {
		all, err := w.dir.GroupIDs(context.Background(), "acme", "", 10)
		w.must(err)
		found, err := w.dir.GroupsOf(context.Background(), "acme", all)
		w.must(err)
		return found
	}
	change := func(ops ...patch.Operation) func() error {
		return func() error { return w.patch(groupType, groups()[0].ID, ops...) }
	}
	for _, step := range []struct {
		do     func() error
		active int
	}{
		{func() error { _, err := w.group("Staff", ids...); return err }, len(ids)},
		{change(op(patch.Replace, "displayName", "None"), op(patch.Replace, "members", members[:1])), 0},
		{change(op(patch.Replace, "displayName", "Staff"), op(patch.Replace, "members", members)), len(ids)},
	} {
		before := fmt.Sprint(groups())
		for writes := 0; before == fmt.Sprint(groups()); writes++ {
			w.engine.KillAfterWrites(writes)
			if err := step.do(); err == nil && writes < 2 {
				t.Fatal("it is not a large change")
			}
			w.engine.Revive()
		}
		w.restart()
		w.must(w.publish())
		w.check()
		active := 0
		for _, m := range w.published() {
			if strings.HasPrefix(m, "active") {
				active++
			}
		}
		if active != step.active {
			t.Errorf("%d members are active, want %d", active, step.active)
		}
	}
}

// TestSomeJoinAndLeave has more members leave and join a group than a request names one by one. Each of them is
// published, and nobody else is: it costs the same in a small group and in a large one.
func TestSomeJoinAndLeave(t *testing.T) {
	const some = 30
	var costs [2][2]float64
	for i, others := range []int{5, 150} {
		w := newWorld(t, teams)
		var ids []string
		for n := range some + others {
			id, err := w.user(fmt.Sprint("u", n), nil)
			w.must(err)
			ids = append(ids, id)
		}
		staff, err := w.group("Staff", ids...)
		w.must(err)
		w.must(w.dir.RollForward(context.Background(), "acme"))
		w.must(w.publish())
		var members []any
		for _, id := range ids[:some] {
			members = append(members, scim.Object{"value": id})
		}
		for k, kind := range []patch.Kind{patch.Remove, patch.Add} {
			w.must(w.patch(groupType, staff, op(kind, "members", members)))
			_, found, err := w.s.Get(context.Background(), w.tenant, ids[0])
			w.must(err)
			ctx, meter := store.WithMeter(context.Background())
			_, err = w.s.Publish(ctx, w.tenant, time.Minute)
			w.must(err)
			costs[i][k] = meter.Total().WriteUnits
			if w.check(); !found {
				t.Error("the first of them is no member")
			}
		}
	}
	if costs[0] != costs[1] {
		t.Errorf("write units of leaving and joining: %v in a small group, %v in a large one", costs[0], costs[1])
	}
}

// TestRace shows the race that the stamp closes: a publication that has read an older state can't commit after another
// has published a newer one and ended its marker.
func TestRace(t *testing.T) {
	w := newWorld(t, teams)
	ada, err := w.user("ada", scim.Object{"title": "t0"})
	w.must(err)
	other := *w
	other.restart()
	for call := range 12 { // the newer change comes in front of any of the calls of the older publication
		w.must(w.patch(userType, ada, op(patch.Replace, "title", fmt.Sprint("old", call))))
		n := 0
		w.engine.SetPlan(nil)
		var late errgroup.Group
		gate := make(chan struct{})
		w.engine.SetPlan(func(int) faultstore.Fault {
			if n++; n == call+1 {
				close(gate)
			}
			return faultstore.None
		})
		late.Go(func() error {
			<-gate
			if err := w.patch(userType, ada, op(patch.Replace, "title", fmt.Sprint("new", call))); err != nil {
				return err
			}
			return other.publish()
		})
		w.must(w.publish())
		select {
		case <-gate:
		default:
			close(gate)
		}
		w.must(late.Wait())
		w.engine.SetPlan(nil)
		w.must(w.publish())
		w.check()
	}
}
