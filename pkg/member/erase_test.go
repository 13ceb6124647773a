package member_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// TestRemovedMembersAreForgotten: after 90 days nobody is shown a member who was removed, also while the item is there.
func TestRemovedMembersAreForgotten(t *testing.T) {
	w := newWorld(t, "")
	id, err := w.user("ada", nil)
	w.must(err)
	w.must(w.publish())
	w.must(w.remove(userType, id))
	w.must(w.publish())
	shown := func() (byID, listed, explained bool) {
		_, byID, err := w.s.Get(t.Context(), w.tenant, id)
		w.must(err)
		list, err := w.s.List(t.Context(), w.tenant, `status eq "removed"`, "", 10)
		w.must(err)
		_, explained, err = w.s.Why(t.Context(), w.tenant, id)
		w.must(err)
		return byID, len(list.Members) == 1, explained
	}
	w.later = 89 * 24 * time.Hour
	if byID, listed, explained := shown(); !byID || !listed || !explained {
		t.Errorf("after 89 days: by id %t, listed %t, explained %t", byID, listed, explained)
	}
	w.later = 91 * 24 * time.Hour
	if byID, listed, explained := shown(); byID || listed || explained {
		t.Errorf("after 91 days: by id %t, listed %t, explained %t", byID, listed, explained)
	}
	if len(w.published()) != 1 {
		t.Error("the item is gone already: nothing was tested")
	}
}

// recorder remembers the keys of all items that were ever written.
type recorder struct {
	store.Engine
	mu   sync.Mutex
	keys map[store.Key]bool
}

func (r *recorder) note(ops []store.Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, op := range ops {
		r.keys[op.Key] = true
	}
}

func (r *recorder) Transact(ctx context.Context, token string, ops []store.Op) error {
	r.note(ops)
	return r.Engine.Transact(ctx, token, ops)
}

func (r *recorder) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	r.note(ops)
	return r.Engine.Batch(ctx, ops)
}

// holding lists the items whose key or attributes have a text in them, of any case.
func (r *recorder) holding(t testing.TB, text string) (found []string) {
	t.Helper()
	for key := range r.keys {
		items, unread, err := r.Get(t.Context(), []store.Key{key})
		if err != nil || len(unread) > 0 {
			t.Fatal(err, unread)
		}
		if items[0].Attrs == nil {
			continue
		}
		if all := fmt.Sprint(key, items[0].Attrs); strings.Contains(strings.ToLower(all), text) {
			found = append(found, all)
		}
	}
	return found
}

// nicks has a name of the person's in an attribute, and keeps those whose users are deleted if onDelete says so.
const nicks = `{"members": {"attributes": {"nick": {"from": "nickName"}}, "onDelete": "%s"},
	"kinds": {"team": {"create": true}},
	"rules": [{"id": "title", "user": {"value": "title"}, "assign": {"kind": "team", "target": "${value}"}}]}`

// leaver creates a person whose data all has "zelda" in it, with more entries of the log than one transaction redacts,
// who manages somebody else, and deletes the user.
func leaver(t *testing.T, onDelete string) (w *world, r *recorder, id string) {
	t.Helper()
	bolt, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bolt.Close() })
	r = &recorder{Engine: bolt, keys: map[store.Key]bool{}}
	w = worldOn(t, r, fmt.Sprintf(nicks, onDelete))
	id, err = w.user("Zelda@zelda.example", scim.Object{
		"externalId": "zelda-1", "displayName": "Zelda", "nickName": "zelda", "title": "Boss",
		"name":   scim.Object{"givenName": "Zelda", "formatted": "Dr. Zelda"},
		"emails": []any{scim.Object{"value": "zelda@home.example", "primary": true}},
	})
	w.must(err)
	w.must(w.publish())
	_, err = w.user("bob", scim.Object{
		"schemas":              []any{scim.UserURN, scim.EnterpriseUserURN},
		scim.EnterpriseUserURN: scim.Object{"manager": scim.Object{"value": id}},
	})
	w.must(err)
	_, err = w.group("Staff", id)
	w.must(err)
	for n := range 22 {
		w.must(w.patch(userType, id, op(patch.Replace, "nickName", fmt.Sprint("zelda", n))))
		w.must(w.publish())
	}
	w.must(w.remove(userType, id))
	w.must(w.publish())
	return w, r, id
}

// checkErased checks the conditions that hold once a person is erased.
func (w *world) checkErased(r *recorder, id string) {
	w.t.Helper()
	for _, item := range r.holding(w.t, "zelda") {
		w.t.Errorf("left of the person: %s", item)
	}
	w.checkLog()
	w.checkLookups()
	for item, err := range w.ts.All(context.Background(), store.Query{PK: w.ts.MarkerPrefix("").PK}) {
		w.must(err)
		w.t.Errorf("a marker is left: %q", item.SK)
	}
	m, found, err := w.s.Get(context.Background(), w.tenant, id)
	w.must(err)
	if !found || m.Status != "removed" || !m.Erased {
		w.t.Errorf("found %t: %v", found, m.Object())
	}
	page, err := w.s.Events(context.Background(), w.tenant, eventlog.Place{}, 1000)
	w.must(err)
	last := page.Events[len(page.Events)-1].Object
	if last["type"] != "member.removed" || last["data"].(scim.Object)["erased"] != true {
		w.t.Errorf("the last event is %v", last)
	}
	for _, e := range page.Events {
		if e.Object["subject"] == "members/"+id && e.Object["data"].(scim.Object)["erased"] != true {
			w.t.Errorf("not erased: %v", e.Object)
		}
	}
}

// TestEraseIsKilledAnywhere kills the process after any number of calls to the engine. Nothing of the person is
// left, whether the erasing is repeated or the publisher goes on.
func TestEraseIsKilledAnywhere(t *testing.T) {
	for _, onDelete := range []string{"remove", "deactivate"} {
		for n, whole := 0, false; !whole; n += slow.Rounds(1, 3) {
			w, r, id := leaver(t, onDelete)
			if n == 0 && len(r.holding(t, "zelda")) < 25 {
				t.Fatal("there is nothing to erase")
			}
			w.engine.KillAfter(n)
			_, err := w.s.Erase(t.Context(), w.tenant, id)
			w.engine.Revive()
			if whole = err == nil; err != nil && !errors.Is(err, faultstore.ErrKilled) {
				t.Fatal(err)
			}
			w.restart()
			w.must(w.publish())
			if m, _, err := w.s.Get(t.Context(), w.tenant, id); err != nil || !m.Erased || n%2 == 0 {
				w.must(err)
				done, err := w.s.Erase(t.Context(), w.tenant, id)
				if err != nil || !done {
					t.Fatalf("killed after %d calls, repeated: done %t, error %v", n, done, err)
				}
			}
			w.checkErased(r, id)
			if t.Failed() {
				t.Fatalf("%s, killed after %d calls", onDelete, n)
			}
		}
	}
}

// TestEraseTwiceAtOnce erases a person in several processes at once, beside publishers.
func TestEraseTwiceAtOnce(t *testing.T) {
	w, r, id := leaver(t, "remove")
	services := []*member.Service{w.s}
	for range 3 {
		w.restart()
		services = append(services, w.s)
	}
	var all sync.WaitGroup
	for i, s := range services {
		all.Go(func() {
			if i == 3 {
				_, err := s.Publish(t.Context(), w.tenant, time.Minute)
				if err != nil && !errors.Is(err, store.ErrStale) {
					t.Error(err)
				}
				return
			}
			if done, err := s.Erase(t.Context(), w.tenant, id); err != nil || !done {
				t.Errorf("done %t, error %v", done, err)
			}
		})
	}
	all.Wait()
	w.checkErased(r, id)
	page, err := w.s.Events(t.Context(), w.tenant, eventlog.Place{}, 1000)
	w.must(err)
	removed := 0
	for _, e := range page.Events {
		if e.Object["type"] == "member.removed" {
			removed++
		}
	}
	if removed != 2 {
		t.Errorf("%d events say that the member is removed, want 2: by SCIM, and erased", removed)
	}
}

// TestEraseInASilentTenant: a tenant that publishes no members any more can erase, also if the process dies.
func TestEraseInASilentTenant(t *testing.T) {
	w, r, id := leaver(t, "remove")
	w.tenant.Silent = true
	w.engine.KillAfterWrites(3)
	if _, err := w.s.Erase(t.Context(), w.tenant, id); !errors.Is(err, faultstore.ErrKilled) {
		t.Fatal(err)
	}
	w.engine.Revive()
	w.restart()
	for left, err := true, error(nil); left; {
		left, err = w.s.Publish(t.Context(), w.tenant, time.Minute)
		w.must(err)
	}
	w.checkErased(r, id)
}

// TestEraseOneWhoReturned: a person who left, came back as another member and left again is erased under both ids,
// at any call at which the process dies.
func TestEraseOneWhoReturned(t *testing.T) {
	for n, whole := 0, false; !whole; n += 3 {
		w, r, first := leaver(t, "remove")
		id, err := w.user("zelda2@zelda.example", scim.Object{"externalId": "zelda-1"})
		w.must(err)
		w.must(w.publish())
		m, _, err := w.s.Get(t.Context(), w.tenant, id)
		w.must(err)
		if m.PreviousID != first {
			t.Fatalf("the previous member is %q, want %q", m.PreviousID, first)
		}
		var refused *member.Refused
		if _, err := w.s.Erase(t.Context(), w.tenant, id); !errors.As(err, &refused) || refused.Status != 409 {
			t.Fatalf("while the user lives: %v", err)
		}
		if !strings.Contains(fmt.Sprint(r.holding(t, "zelda")), first) {
			t.Fatal("the refused request has erased the previous member")
		}
		w.must(w.remove(userType, id))
		w.engine.KillAfter(n)
		_, err = w.s.Erase(t.Context(), w.tenant, id)
		w.engine.Revive()
		if whole = err == nil; err != nil && !errors.Is(err, faultstore.ErrKilled) {
			t.Fatal(err)
		}
		w.restart()
		done, err := w.s.Erase(t.Context(), w.tenant, id)
		if err != nil || !done {
			t.Fatalf("killed after %d calls, repeated: done %t, error %v", n, done, err)
		}
		w.must(w.publish())
		w.checkErased(r, id)
		if t.Failed() {
			t.Fatalf("killed after %d calls", n)
		}
	}
}

// TestEraseGoesOnInLargeLogs erases a person who returned, while one request has the time for less than one log: each
// request goes on from the end of the one before, under both ids.
func TestEraseGoesOnInLargeLogs(t *testing.T) {
	w, r, _ := leaver(t, "remove")
	id, err := w.user("zelda2@zelda.example", scim.Object{"externalId": "zelda-1"})
	w.must(err)
	w.must(w.publish())
	w.must(w.remove(userType, id))
	w.must(w.publish())
	const steps, noted = 4, 2 // of a log in all, and after which the place in it is noted
	at, left := map[string]int{}, 0
	s := member.New(w.store, member.Options{
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Directory: w.dir,
		Forget: func(_ context.Context, _, id string, _ []string) (bool, error) {
			for n, from := 1, at[id]; ; n++ {
				if left--; left < 0 {
					return false, context.DeadlineExceeded
				}
				if from+n == steps {
					delete(at, id)
					return true, nil
				}
				if n == noted {
					at[id] = from + n
					return false, nil
				}
			}
		},
	})
	for n, done := 1, false; !done; n++ {
		if n > 10 {
			t.Fatalf("not erased after %d requests, at %v", n, at)
		}
		left = noted + 1
		done, err = s.Erase(t.Context(), w.tenant, id)
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	w.must(w.publish())
	w.checkErased(r, id)
}
