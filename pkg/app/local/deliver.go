package local

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// bell is an engine that reports the writes which wake the delivery, as the table's stream does in AWS.
type bell struct {
	store.Engine
	ring func(tenantID string)
}

// Transact is store.Engine.Transact.
func (b bell) Transact(ctx context.Context, token string, ops []store.Op) error {
	if err := b.Engine.Transact(ctx, token, ops); err != nil {
		return err
	}
	for _, op := range ops {
		if op.Set[store.AttrWake] == store.WakeDeliver {
			if id, ok := store.TenantOf(op.Key); ok {
				b.ring(id)
			}
		}
	}
	return nil
}

// deliveries does the work of the function deliver in AWS: several goroutines a tenant at most, so that a destination
// that does not answer holds up no other.
type deliveries struct {
	worker *delivery.Worker
	now    func() time.Time
	log    *slog.Logger
	ctx    context.Context
	tasks  *task.Group

	mu      sync.Mutex
	running map[string]int
	again   map[string]bool
	leased  map[string]time.Time // when the leases end that other workers have
	timer   *time.Timer
	times   []time.Time // when due is to look, in order; the timer is for the first
	closed  bool
}

// perTenant bounds the goroutines of a tenant.
const perTenant = 4

func newDeliveries(b *background, now func() time.Time) *deliveries {
	return &deliveries{
		now: now, log: b.log, ctx: b.ctx, tasks: &b.tasks, running: map[string]int{}, again: map[string]bool{},
		leased: map[string]time.Time{},
	}
}

// wake has the events of a tenant delivered.
func (d *deliveries) wake(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
	case d.running[id] >= perTenant:
		d.again[id] = true
	default:
		d.running[id]++
		d.tasks.Go(func() error { d.work(id); return nil })
	}
}

func (d *deliveries) work(id string) {
	for {
		var left delivery.Left
		err := task.Do(func() (err error) {
			left, err = d.worker.Work(d.ctx, id)
			return err
		})
		if err != nil && d.ctx.Err() == nil {
			d.log.Warn("delivery will be tried again", "tenant", id, "error", err)
			d.retry(id, time.Second)
		}
		d.mu.Lock()
		if !left.Leased.IsZero() {
			d.leased[id] = left.Leased
		}
		d.mu.Unlock()
		d.schedule(left.Due)
		d.schedule(left.Leased)
		d.mu.Lock()
		again := (d.again[id] || left.More && err == nil) && d.ctx.Err() == nil
		delete(d.again, id)
		if !again {
			if d.running[id]--; d.running[id] == 0 {
				delete(d.running, id)
			}
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
	}
}

func (d *deliveries) panicked(err error) { d.log.Error("delivery not begun", "error", err) }

// retry wakes a tenant after a while.
func (d *deliveries) retry(id string, after time.Duration) {
	task.After(after, func() { d.wake(id) }, d.panicked)
}

// schedule looks for due deliveries at a time of the program's clock.
func (d *deliveries) schedule(at time.Time) {
	if at.IsZero() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if i, found := slices.BinarySearchFunc(d.times, at, time.Time.Compare); !found {
		d.times = slices.Insert(d.times, i, at)
	}
	d.arm()
}

// arm sets the timer to the first of the times. The caller holds mu.
func (d *deliveries) arm() {
	if d.timer != nil {
		d.timer.Stop()
	}
	if !d.closed && len(d.times) > 0 {
		d.timer = task.After(max(d.times[0].Sub(d.now()), 0)+50*time.Millisecond, d.due, d.panicked)
	}
}

// due wakes the tenants that have a delivery due.
func (d *deliveries) due() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	now := d.now()
	d.times = slices.DeleteFunc(d.times, func(at time.Time) bool { return !at.After(now) })
	d.arm()
	var ended []string
	maps.DeleteFunc(d.leased, func(id string, until time.Time) bool {
		over := !until.After(now)
		if over {
			ended = append(ended, id)
		}
		return over
	})
	d.tasks.Go(func() error {
		wake := func(_ context.Context, ids ...string) error {
			for _, id := range ids {
				d.wake(id)
			}
			return nil
		}
		_ = wake(d.ctx, ended...) // never fails
		if err := d.worker.Due(d.ctx, wake); err != nil && d.ctx.Err() == nil {
			d.log.Warn("deliveries that are due were not looked for", "error", err)
			d.schedule(d.now().Add(time.Second))
		}
		return nil
	})
}

// close ends the timer; the background ends the goroutines.
func (d *deliveries) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.timer != nil {
		d.timer.Stop()
	}
}
