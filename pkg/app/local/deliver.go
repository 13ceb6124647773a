package local

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// bell is an engine that tells of writes which wake the delivery, as the table's stream does in AWS.
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
	timer   *time.Timer
	next    time.Time // when the timer is to ring
	closed  bool
}

// perTenant bounds the goroutines of a tenant.
const perTenant = 4

func newDeliveries(b *background, now func() time.Time) *deliveries {
	return &deliveries{
		now: now, log: b.log, ctx: b.ctx, tasks: &b.tasks, running: map[string]int{}, again: map[string]bool{},
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
		if !left.Leased.IsZero() {
			d.retry(id, left.Leased.Sub(d.now()))
		}
		d.schedule(left.Due)
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

// retry wakes a tenant after a while.
func (d *deliveries) retry(id string, after time.Duration) {
	time.AfterFunc(after, func() { d.wake(id) })
}

// schedule looks for due deliveries at a time of the program's clock.
func (d *deliveries) schedule(at time.Time) {
	if at.IsZero() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.timer != nil && !at.Before(d.next) {
		return
	}
	if d.timer != nil {
		d.timer.Stop()
	}
	d.next = at
	d.timer = time.AfterFunc(max(at.Sub(d.now()), 0)+50*time.Millisecond, d.due)
}

// due wakes the tenants of which something is due.
func (d *deliveries) due() {
	d.mu.Lock()
	d.timer = nil
	closed := d.closed
	if !closed {
		d.tasks.Go(func() error {
			err := d.worker.Due(d.ctx, func(_ context.Context, ids ...string) error {
				for _, id := range ids {
					d.wake(id)
				}
				return nil
			})
			if err != nil && d.ctx.Err() == nil {
				d.log.Warn("due deliveries could not be listed", "error", err)
				d.schedule(d.now().Add(time.Second))
			}
			return nil
		})
	}
	d.mu.Unlock()
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
