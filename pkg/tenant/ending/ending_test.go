package ending_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/ending"
)

// world is a table with the processes on it.
type world struct {
	t      *testing.T
	now    time.Time
	engine store.Engine
	woken  int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)}
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	w.engine = engine
	return w
}

func (w *world) clock() time.Time { return w.now }

// process is one process on the table, or on an engine before it.
type process struct {
	*ending.Service
	tenants *tenant.Service
	st      *store.Store
}

func (w *world) process(engine store.Engine, empty ending.Empty) process {
	st := store.New(engine, store.Options{})
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{
		Now: w.clock, Log: slog.New(slog.DiscardHandler), Wake: func(kind, _ string) {
			if kind == store.WakeDeleted {
				w.woken++
			}
		},
	})
	if empty == nil {
		empty = directory.New(st, directory.Options{Now: w.clock}).Erase
	}
	return process{ending.New(st, tenants, ending.Options{Now: w.clock, Empty: empty}), tenants, st}
}

// create creates the tenant acme.
func (w *world) create(p process) {
	w.t.Helper()
	if _, _, err := p.tenants.Create(w.t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		w.t.Fatal(err)
	}
}

// told returns the ids of the events of type tenant.deleted in the log of acme.
func (w *world) told(p process) (ids []string) {
	w.t.Helper()
	page, err := eventlog.Read(w.t.Context(), p.st.Tenant("acme"), eventlog.Place{}, 100, time.Time{})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, e := range page.Events {
		if e.Object["type"] != "tenant.deleted" {
			continue
		}
		if i != len(page.Events)-1 {
			w.t.Error("an event follows tenant.deleted")
		}
		ids = append(ids, e.Object["id"].(string))
	}
	return ids
}

// TestKilledAnywhere lets the process that deletes die after each of its writes, and a second one go on. The event is
// in the log before the log goes, once and with one id, and at the end nothing is left.
func TestKilledAnywhere(t *testing.T) {
	for writes := 0; ; writes++ {
		w := newWorld(t)
		p := w.process(w.engine, nil)
		w.create(p)
		write(t, p.st, 2)
		dying := faultstore.New(w.engine, nil)
		mortal := w.process(dying, nil)
		var seen []string
		dying.KillAfterWrites(writes)
		ctx := t.Context()
		_ = mortal.tenants.Delete(ctx, "acme") // errors are those of a process that dies
		_ = mortal.Erase(ctx, "acme")
		seen = append(seen, w.told(p)...)
		_ = mortal.Heard(ctx, "acme")
		_ = mortal.Erase(ctx, "acme")
		killed := dying.Killed()
		w.now = w.now.Add(2 * time.Minute) // what a dead process had reserved lapses
		if err := p.tenants.Delete(ctx, "acme"); err != nil && !errors.Is(err, tenant.ErrNotFound) {
			t.Fatal(err)
		}
		for range 2 {
			if err := p.Erase(ctx, "acme"); err != nil {
				t.Fatalf("after %d writes: %v", writes, err)
			}
			if last, err := p.Last(ctx, "acme"); err != nil || last != (len(w.told(p)) > 0 && w.listed(p)) {
				t.Errorf("after %d writes: last %v, %v", writes, last, err)
			}
			if w.listed(p) {
				seen = append(seen, w.told(p)...)
			}
			if err := p.Heard(ctx, "acme"); err != nil {
				t.Fatal(err)
			}
		}
		if ids := slices.Compact(seen); len(ids) != 1 || !strings.HasSuffix(ids[0], "-3") {
			t.Errorf("after %d writes: tenant.deleted was in the log as %v", writes, seen)
		}
		if err := p.Erase(ctx, "acme"); err != nil || w.listed(p) || len(w.told(p)) > 0 {
			t.Errorf("after %d writes: not gone: %v", writes, err)
		}
		if !killed {
			if writes < 4 {
				t.Errorf("only %d writes", writes)
			}
			return
		}
	}
}

// listed reports whether the tenant is in the list of tenants.
func (w *world) listed(p process) bool {
	w.t.Helper()
	items, err := p.st.Get(w.t.Context(), store.KeysOf("acme").Listed())
	if err != nil {
		w.t.Fatal(err)
	}
	return items[0].Attrs != nil
}

// write appends n events to the log of acme.
func write(t *testing.T, st *store.Store, n int) {
	t.Helper()
	if err := tryWrite(t.Context(), st, n); err != nil {
		t.Fatal(err)
	}
}

func tryWrite(ctx context.Context, st *store.Store, n int) error {
	ts := st.Tenant("acme")
	items, err := ts.Get(ctx, ts.LogHead())
	if err != nil {
		return err
	}
	var all []eventlog.Entry
	for range n {
		all = append(all, eventlog.Entry{
			Subject: "members/a", Events: []eventlog.Logged{{Type: "a", Data: scim.Object{}}},
		})
	}
	_, ops := eventlog.DecodeHead(items[0]).Append(ts.Keys, 0, all...)
	return ts.Transact(ctx, ops...)
}

// TestWaitsForAnHour: the log stays until the delivery has said that all have it, an hour at most. Nobody can append to
// it any more.
func TestWaitsForAnHour(t *testing.T) {
	for _, heard := range []bool{true, false} {
		t.Run(fmt.Sprint("heard ", heard), func(t *testing.T) {
			w := newWorld(t)
			p := w.process(w.engine, nil)
			w.create(p)
			ctx := t.Context()
			if err := p.tenants.Delete(ctx, "acme"); err != nil {
				t.Fatal(err)
			}
			if last, err := p.Last(ctx, "acme"); err != nil || last {
				t.Errorf("a log that has not ended is the last: %v", err)
			}
			for range 3 {
				if err := p.Erase(ctx, "acme"); err != nil || !w.listed(p) {
					t.Fatalf("erased before anybody heard of it: %v", err)
				}
				w.now = w.now.Add(15 * time.Minute)
			}
			if err := tryWrite(ctx, p.st, 1); err == nil {
				t.Error("an event follows tenant.deleted")
			}
			if w.woken = 0; heard {
				if err := p.Heard(ctx, "acme"); err != nil || w.woken != 1 {
					t.Errorf("woken %d times, %v", w.woken, err)
				}
			} else {
				w.now = w.now.Add(15 * time.Minute)
				run, err := p.tenants.Rotate(ctx, nil)
				if err != nil || run.Failed > 0 || w.woken != 1 {
					t.Errorf("an hour later: woken %d times, %v", w.woken, err)
				}
			}
			if err := p.Erase(ctx, "acme"); err != nil || w.listed(p) {
				t.Errorf("not erased: %v", err)
			}
		})
	}
}

// TestEraseOfANewLife lets the same deletion be carried out twice at once, and the id be taken again before the slower
// one has emptied anything: it is told that there is nothing to empty any more, and the new tenant stays. What is left
// of the old one's delivery does not concern the new one.
func TestEraseOfANewLife(t *testing.T) {
	w := newWorld(t)
	fast := w.process(w.engine, nil)
	calls := 0
	slow := w.process(w.engine, func(
		ctx context.Context, _ string, still func(context.Context) (bool, error),
	) error {
		calls++
		if deleted, err := still(ctx); err != nil || !deleted {
			t.Errorf("deleted %v, %v", deleted, err)
		}
		if err := fast.Erase(ctx, "acme"); err != nil {
			return err
		}
		w.create(fast)
		if deleted, err := still(ctx); err != nil || deleted {
			t.Errorf("with a new tenant: deleted %v, %v", deleted, err)
		}
		return nil
	})
	w.create(fast)
	ctx := t.Context()
	if err := errors.Join(
		fast.tenants.Delete(ctx, "acme"), fast.Erase(ctx, "acme"), fast.Heard(ctx, "acme"), slow.Erase(ctx, "acme"),
	); err != nil || calls != 1 {
		t.Fatalf("%d calls, %v", calls, err)
	}
	for _, id := range []string{"acme", "nobody"} { // neither is deleted
		last, err := fast.Last(ctx, id)
		if err = errors.Join(err, fast.Heard(ctx, id), fast.Erase(ctx, id)); err != nil || last {
			t.Errorf("%s: last %v, %v", id, last, err)
		}
	}
	if got, err := fast.tenants.Get(ctx, "acme"); err != nil || !got.Active || len(w.told(fast)) > 0 {
		t.Errorf("the new tenant was touched: %v", err)
	}
}
