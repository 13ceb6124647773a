package local

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// late is a destination that refuses once, and asks to be left alone for a time.
type late struct {
	delivery.Destination
	after time.Duration
	took  time.Time
	calls int
}

func (d *late) ID() string         { return "bus" }
func (d *late) Active() bool       { return true }
func (d *late) Wants(string) bool  { return true }
func (d *late) Since() time.Time   { return time.Time{} }
func (d *late) Resumed() time.Time { return time.Time{} }
func (d *late) Lasting() bool      { return true }

func (d *late) Send(_ context.Context, events []eventlog.Numbered) delivery.Outcome {
	if d.calls++; d.calls == 1 {
		return delivery.Outcome{Failed: true, RetryAfter: d.after}
	}
	d.took = time.Now()
	return delivery.Outcome{Accepted: events[len(events)-1].Sequence}
}

// stuck is a destination that answers nothing until a delivery is given up.
type stuck struct {
	late
	id string
}

func (d *stuck) ID() string { return d.id }

func (d *stuck) Send(context.Context, []eventlog.Numbered) delivery.Outcome {
	time.Sleep(15 * time.Second)
	return delivery.Outcome{Failed: true}
}

// delivering is the delivery of a server, in a bubble of synctest: write adds an event to a tenant's log, and wakes the
// delivery. stop ends all.
func delivering(t *testing.T, of func(tenant string) []delivery.Destination) (write func(tenant string), stop func()) {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	st := store.New(engine, store.Options{})
	log := slog.New(slog.DiscardHandler)
	b := newBackground(log)
	sends := newDeliveries(b, time.Now)
	sends.worker = delivery.New(st, delivery.Options{
		Now: time.Now, Logger: log, Jitter: func() float64 { return 0 },
		Destinations: func(_ context.Context, id string) ([]delivery.Destination, error) { return of(id), nil },
		Log: func(_ context.Context, id string) (delivery.Log, error) {
			return delivery.Log{Read: func(ctx context.Context, p eventlog.Place, n int) (eventlog.Page, error) {
				return eventlog.Read(ctx, st.Tenant(id), p, n, time.Time{})
			}}, nil
		},
	})
	heads := map[string]eventlog.Head{}
	write = func(id string) {
		t.Helper()
		head, known := heads[id]
		if !known {
			head = eventlog.DecodeHead(store.Item{})
		}
		head, ops := head.Append(store.KeysOf(id), 0, eventlog.Entry{
			Subject: "x", At: time.Now(), Events: []eventlog.Logged{{Type: "a.b", Data: scim.Object{}}},
		})
		if err := st.Transact(t.Context(), ops...); err != nil {
			t.Fatal(err)
		}
		heads[id] = head
		sends.wake(id)
	}
	return write, func() {
		sends.close()
		b.stop()
		_ = engine.Close()
	}
}

// TestEachTenantIsTriedWhenItIsDue: the deliveries of several tenants failed, and each is tried again at its own time,
// without anything else that happens.
func TestEachTenantIsTriedWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := map[string]*late{
			"one": {after: 7*time.Second + 454*time.Millisecond}, "two": {after: 100 * time.Second},
			"six": {after: time.Minute},
		}
		write, stop := delivering(t, func(id string) []delivery.Destination { return []delivery.Destination{all[id]} })
		began := time.Now()
		for id := range all {
			write(id)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		for id, d := range all {
			if after := d.took.Sub(began); d.calls != 2 || after < d.after || after > d.after+2*time.Second {
				t.Errorf("%s: %d attempts, the last after %s, due after %s", id, d.calls, after, d.after)
			}
		}
		stop()
	})
}

// TestStuckDestinationHoldsUpNoOther: destinations that don't answer keep no other one waiting, at no time.
func TestStuckDestinationHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		prompt := &late{calls: 1}
		all := []delivery.Destination{prompt}
		for i := range 6 {
			all = append(all, &stuck{id: fmt.Sprint("stuck-", i)})
		}
		write, stop := delivering(t, func(string) []delivery.Destination { return all })
		for i := range 40 {
			began := time.Now()
			write("acme")
			time.Sleep(time.Second)
			synctest.Wait()
			if took := prompt.took.Sub(began); took < 0 || took > 100*time.Millisecond {
				t.Errorf("event %d came after %s", i, took)
			}
		}
		stop()
	})
}
