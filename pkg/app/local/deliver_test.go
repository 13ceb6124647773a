package local

import (
	"context"
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

// TestEachTenantIsTriedWhenItIsDue: the deliveries of several tenants failed, and each is tried again at its own time,
// without anything else that happens.
func TestEachTenantIsTriedWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		st := store.New(engine, store.Options{})
		log := slog.New(slog.DiscardHandler)
		b := newBackground(log)
		sends := newDeliveries(b, time.Now)
		all := map[string]*late{
			"one": {after: 7*time.Second + 454*time.Millisecond}, "two": {after: 100 * time.Second}, "six": {after: time.Minute},
		}
		sends.worker = delivery.New(st, delivery.Options{
			Now: time.Now, Logger: log, Jitter: func() float64 { return 0 },
			Destinations: func(_ context.Context, id string) ([]delivery.Destination, error) {
				return []delivery.Destination{all[id]}, nil
			},
			Log: func(_ context.Context, id string) (delivery.Log, error) {
				return delivery.Log{Read: func(ctx context.Context, p eventlog.Place, n int) (eventlog.Page, error) {
					return eventlog.Read(ctx, st.Tenant(id), p, n, time.Time{})
				}}, nil
			},
		})
		began := time.Now()
		for id := range all {
			_, ops := eventlog.DecodeHead(store.Item{}).Append(store.KeysOf(id), 0, eventlog.Entry{
				Subject: "x", At: began, Events: []eventlog.Logged{{Type: "a.b", Data: scim.Object{}}},
			})
			if err := st.Transact(t.Context(), ops...); err != nil {
				t.Fatal(err)
			}
			sends.wake(id)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		for id, d := range all {
			if after := d.took.Sub(began); d.calls != 2 || after < d.after || after > d.after+2*time.Second {
				t.Errorf("%s: %d attempts, the last after %s, due after %s", id, d.calls, after, d.after)
			}
		}
		sends.close()
		b.stop()
		_ = engine.Close()
	})
}
