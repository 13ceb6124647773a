package local

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// background does the work of the stream function in AWS: one goroutine a tenant at a time.
type background struct {
	cleaner app.Cleaner
	deliver func(tenantID string) // of every tenant that is found when the server starts
	log     *slog.Logger
	ctx     context.Context
	cancel  context.CancelFunc
	tasks   task.Group

	mu   sync.Mutex
	busy map[app.Wake]bool // true: woken again while at work
}

func newBackground(log *slog.Logger) *background {
	ctx, cancel := context.WithCancel(context.Background())
	return &background{log: log, ctx: ctx, cancel: cancel, busy: map[app.Wake]bool{}}
}

// wake starts the work, or has the work under way look once more.
func (b *background) wake(w app.Wake) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, working := b.busy[w]; working {
		b.busy[w] = true
		return
	}
	b.busy[w] = false
	b.tasks.Go(func() error { b.work(w); return nil })
}

func (b *background) work(w app.Wake) {
	pause := 100 * time.Millisecond
	for {
		err := task.Do(func() error { return b.cleaner.Clean(b.ctx, w) })
		if err != nil && b.ctx.Err() == nil {
			b.log.Warn("background work will be tried again", "tenant", w.Tenant, "error", err)
		}
		b.mu.Lock()
		again := b.busy[w] || err != nil
		b.busy[w] = false
		if !again || b.ctx.Err() != nil {
			delete(b.busy, w)
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		if err == nil {
			pause = 100 * time.Millisecond
			continue
		}
		select {
		case <-b.ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, 10*time.Second)
	}
}

// resume starts the work that an earlier process left undone.
func (b *background) resume(ctx context.Context, tenants *tenant.Service) {
	b.tasks.Go(func() error {
		err := b.left(b.ctx, tenants, func(w app.Wake) error {
			if b.wake(w); w.Kind == store.WakePublish {
				b.deliver(w.Tenant)
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			b.log.Warn("work of an earlier run could not be listed", "error", err)
		}
		return nil
	})
}

// settle does all due work at once, and wakes the delivery for each tenant. If another goroutine is erasing a deleted
// tenant, such as the one that the deletion woke, settle waits for it. A deleted tenant stays if the destinations of
// its events don't accept the last event.
func (b *background) settle(ctx context.Context, tenants *tenant.Service, sends *deliveries) error {
	return b.left(ctx, tenants, func(w app.Wake) error {
		if w.Kind == store.WakeDeleted {
			return b.settleDeleted(ctx, w, sends)
		}
		err := b.cleaner.Clean(ctx, w)
		if w.Kind == store.WakePublish {
			sends.wake(w.Tenant)
		}
		return err
	})
}

// settleDeleted erases a deleted tenant, with a delivery of its last event in between. It waits for others who erase it
// or deliver its events.
func (b *background) settleDeleted(ctx context.Context, w app.Wake, sends *deliveries) error {
	const rest = 20 * time.Millisecond
	for told := false; ; {
		err := b.cleaner.Clean(ctx, w)
		waits := errors.Is(err, tenant.ErrBusy)
		if !waits && (err != nil || told) {
			return err
		}
		if !waits {
			left, err := sends.worker.Work(ctx, w.Tenant)
			if err != nil {
				return err
			}
			waits = !left.Leased.IsZero()
			told = !waits
		}
		if waits {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(rest):
			}
		}
	}
}

// left calls take for every tenant that may have work left.
func (b *background) left(ctx context.Context, tenants *tenant.Service, take func(app.Wake) error) error {
	deleting, err := tenants.Deleting(ctx)
	if err != nil {
		return err
	}
	for _, id := range deleting {
		if err := take(app.Wake{Kind: store.WakeDeleted, Tenant: id}); err != nil {
			return err
		}
	}
	cursor := ""
	for {
		page, next, err := tenants.List(ctx, tenant.MaxListCount, cursor)
		if err != nil {
			return err
		}
		for _, t := range page {
			for _, kind := range []string{store.WakeWork, store.WakePublish} {
				if err := take(app.Wake{Kind: kind, Tenant: t.ID}); err != nil {
					return err
				}
			}
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}

// stop ends the work; the next start finds the rest.
func (b *background) stop() {
	b.cancel()
	_ = b.tasks.Wait() // failures are logged
}
