package member_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

const pools = `{"kinds": {"licence": {"seats": "wait"}, "role": {}},
	"protect": [{"kind": "role", "target": "admin", "atLeast": 1}], "rules": [
	{"id": "writers", "group": {"pattern": "^Writers$"}, "assign": {"kind": "licence", "target": "pro"}},
	{"id": "admins", "group": {"pattern": "^Admins$"}, "assign": {"kind": "role", "target": "admin"}}]}`

var pro = mapping.TargetKey{Kind: "licence", Name: "pro"}

// seated is a world with a pool, its writers, and its administrators.
type seated struct {
	*world
	bolt            *boltstore.Engine
	writers, admins string
	size            int
}

func newSeated(t *testing.T, size int) *seated {
	t.Helper()
	bolt, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bolt.Close() })
	w := &seated{world: worldOn(t, bolt, pools), bolt: bolt}
	w.resize(size)
	_, err = w.s.SaveTarget(t.Context(), w.tenant, member.Target{
		TargetKey: mapping.TargetKey{Kind: "role", Name: "admin"}, Seats: member.Unbounded,
	})
	w.must(err)
	w.writers, err = w.group("Writers")
	w.must(err)
	w.admins, err = w.group("Admins")
	w.must(err)
	w.must(w.publish())
	return w
}

func (w *seated) resize(size int) {
	w.t.Helper()
	_, err := w.s.SaveTarget(context.Background(), w.tenant, member.Target{TargetKey: pro, Seats: int64(size)})
	w.must(err)
	w.size = size
}

func (w *seated) users(n int) []string {
	w.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		id, err := w.user(fmt.Sprint("u", n, " ", i), nil)
		w.must(err)
		ids[i] = id
	}
	w.must(w.publish())
	return ids
}

func (w *seated) join(group, id string) {
	w.t.Helper()
	w.must(w.patch(groupType, group, op(patch.Add, "members", []any{scim.Object{"value": id}})))
}

func (w *seated) leave(group, id string) {
	w.t.Helper()
	w.must(w.patch(groupType, group, op(patch.Remove, fmt.Sprintf("members[value eq %q]", id), nil)))
}

func (w *seated) setActive(id string, active bool) {
	w.t.Helper()
	w.must(w.patch(userType, id, op(patch.Replace, "active", active)))
}

// get reads one member, which publishes it; markers that others at work leave are not published.
func (w *seated) get(id string) {
	w.t.Helper()
	_, _, err := w.s.Get(context.Background(), w.tenant, id)
	w.must(err)
}

// members are the published members by their targets, and the ids of those who are protected.
func (w *seated) members() (holders, admins, protected []string) {
	w.t.Helper()
	for item, err := range w.ts.All(context.Background(), store.Query{PK: w.ts.Published("").PK}) {
		w.must(err)
		doc, _ := item.Attrs["doc"].(string)
		o, err := scim.ParseObject(doc)
		w.must(err)
		for _, v := range o["assignments"].([]any) {
			switch {
			case v.(scim.Object)["kind"] == "licence":
				holders = append(holders, item.SK)
			case o["status"] == "active":
				admins = append(admins, item.SK)
			}
		}
		if o["protected"] == true {
			protected = append(protected, item.SK)
		}
	}
	return holders, admins, protected
}

// wanting are the users who are active and in a group.
func (w *seated) wanting(group string) (ids []string) {
	w.t.Helper()
	all, err := w.dir.UserIDs(context.Background(), "acme", "", 1000)
	w.must(err)
	people, err := w.dir.People(context.Background(), "acme", all)
	w.must(err)
	for _, p := range people {
		in := slices.ContainsFunc(p.Groups, func(g directory.GroupOf) bool { return g.ID == group })
		if in && p.Doc["active"] != false {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// checkSeats checks the conditions that must hold whenever nothing is marked: nobody waits while a seat is free,
// and nobody is protected while there is another.
func (w *seated) checkSeats() {
	w.t.Helper()
	holders, admins, protected := w.members()
	want := min(w.size, len(w.wanting(w.writers)))
	if len(holders) < want {
		w.t.Errorf("%d members have one of %d seats, want %d: %v", len(holders), w.size, want, holders)
	}
	items, err := w.ts.Get(context.Background(), w.ts.Pool("licence", "", "pro"))
	w.must(err)
	if used, _ := items[0].Attrs["used"].(int64); int(used) != len(holders) {
		w.t.Errorf("%d seats are said to be in use, %d are", used, len(holders))
	}
	for _, id := range protected {
		if others := len(admins) - 1; others > 0 {
			w.t.Errorf("%s is protected beside %d others: %v", id, others, admins)
		}
	}
}

// TestFreedSeatIsTaken frees a seat and lets the next member in the queue go away, or others come and go, before
// it is published.
func TestFreedSeatIsTaken(t *testing.T) {
	for name, do := range map[string]func(w *seated, ids []string){
		"who is called goes": func(w *seated, ids []string) {
			w.leave(w.writers, ids[0])
			w.get(ids[0])
			w.setActive(ids[1], false)
		},
		"who is called is deleted": func(w *seated, ids []string) {
			w.leave(w.writers, ids[0])
			w.get(ids[0])
			w.must(w.remove(userType, ids[1]))
		},
		"who is called joins anew": func(w *seated, ids []string) {
			w.leave(w.writers, ids[0])
			w.get(ids[0])
			w.leave(w.writers, ids[1])
			w.join(w.writers, ids[1])
		},
		"who is next goes at the same time": func(w *seated, ids []string) {
			w.leave(w.writers, ids[0])
			w.setActive(ids[1], false)
		},
		"who is next is renamed at the same time": func(w *seated, ids []string) {
			w.leave(w.writers, ids[0])
			for _, id := range ids {
				w.must(w.patch(userType, id, op(patch.Replace, "displayName", "other")))
			}
		},
		"the last is next": func(w *seated, ids []string) {
			for _, id := range ids[:len(ids)-1] {
				w.leave(w.writers, id)
			}
		},
		"all are replaced": func(w *seated, ids []string) {
			for _, id := range ids {
				w.leave(w.writers, id)
			}
			w.must(w.publish())
			w.join(w.writers, ids[3])
			w.must(w.publish())
			w.leave(w.writers, ids[3])
			for _, id := range []string{ids[0], ids[1], ids[2], ids[4]} {
				w.join(w.writers, id)
			}
		},
		"more seats, and the next goes": func(w *seated, ids []string) {
			w.resize(2)
			w.get(ids[4])
			w.setActive(ids[1], false)
		},
		"many more seats": func(w *seated, _ []string) {
			for _, id := range w.users(260) {
				w.join(w.writers, id)
			}
			w.must(w.publish())
			w.resize(250)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSeated(t, 1)
			ids := w.users(5)
			for _, id := range ids {
				w.join(w.writers, id)
				w.must(w.publish())
			}
			do(w, ids)
			w.must(w.publish())
			w.checkSeats()
		})
	}
}

// TestProtectionEnds gives a protected target to another in the publication that protects the one who had it.
func TestProtectionEnds(t *testing.T) {
	for round := range 4 { // ids are random, and their order counts
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			w := newSeated(t, 1)
			ids := w.users(2)
			slices.Sort(ids)
			if round%2 == 1 {
				slices.Reverse(ids)
			}
			w.join(w.admins, ids[0])
			w.must(w.publish())
			w.leave(w.admins, ids[0])
			if round > 1 {
				w.must(w.publish())
				w.must(w.patch(userType, ids[0], op(patch.Replace, "displayName", "other")))
			}
			w.join(w.admins, ids[1])
			w.must(w.publish())
			if _, admins, _ := w.members(); !slices.Equal(admins, ids[1:]) {
				t.Errorf("administrators are %v, want %v", admins, ids[1:])
			}
			w.checkSeats()
		})
	}
}

// TestNoWakeUpIsLost makes random changes while two processes publish, read, and are killed: in the end all seats
// that somebody wants are taken. The order in which they were freed does not matter.
func TestNoWakeUpIsLost(t *testing.T) {
	for seed := range uint64(slow.Rounds(12, 3)) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newSeated(t, 3)
			r := rand.New(rand.NewPCG(seed, 3))
			ids := w.users(8)
			for n := range 120 {
				id := ids[r.IntN(len(ids))]
				switch r.IntN(8) {
				case 0, 1:
					w.join(w.writers, id)
				case 2:
					w.leave(w.writers, id)
				case 3:
					w.setActive(id, r.IntN(2) == 0)
				case 4:
					w.join(w.admins, id)
				case 5:
					w.leave(w.admins, id)
				case 6:
					if r.IntN(6) == 0 {
						w.resize(3 + r.IntN(3)) // no seat is taken away, so more may be in use than the size
					}
				case 7:
					w.must(w.patch(userType, id, op(patch.Replace, "displayName", fmt.Sprint("n", n))))
				}
				switch r.IntN(4) {
				case 0:
					w.get(ids[r.IntN(len(ids))])
				case 1:
					w.engine.KillAfter(r.IntN(25))
					if err := w.publish(); err != nil && !errors.Is(err, faultstore.ErrKilled) {
						t.Fatal(err)
					}
					w.engine.Revive()
					w.restart()
				case 2:
					w.racing(r, ids)
				}
				if n%10 == 9 {
					w.must(w.publish())
					w.checkSeats()
				}
			}
		})
	}
}

// racing has another process publish a change between two calls of this one's publication.
func (w *seated) racing(r *rand.Rand, ids []string) {
	w.t.Helper()
	other := worldOn(w.t, w.bolt, "")
	at, n, id := r.IntN(20), 0, ids[r.IntN(len(ids))]
	change := op(patch.Add, "members", []any{scim.Object{"value": id}})
	if r.IntN(2) == 0 {
		change = op(patch.Remove, fmt.Sprintf("members[value eq %q]", id), nil)
	}
	group, size, all := w.writers, w.size+r.IntN(2), r.IntN(2) == 0
	var failed error
	w.engine.SetPlan(func(int) faultstore.Fault {
		if n++; n != at {
			return faultstore.None
		}
		failed = other.patch(groupType, group, change)
		if size > w.size && failed == nil {
			_, failed = other.s.SaveTarget(
				context.Background(), other.tenant, member.Target{TargetKey: pro, Seats: int64(size)},
			)
			w.size = size
		}
		if failed == nil && all {
			failed = other.publish()
		} else if failed == nil {
			_, _, failed = other.s.Get(context.Background(), other.tenant, id)
		}
		return faultstore.None
	})
	err := w.publish()
	w.engine.SetPlan(nil)
	w.must(errors.Join(err, failed))
}
