package tenant

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

const (
	// duePage is the number of due tenants of a shard that are read at a time.
	duePage = 50
	// nearEnd is the time before the deadline of its context in which a run begins no more tenants.
	nearEnd = 45 * time.Second
)

// Run is the result of a run of Rotate.
type Run struct {
	// Tenants is the number of tenants that were due, Failed the number of those with work to be tried again.
	Tenants, Failed int
	// More says that the run ended before it had seen all of them; the next run goes on.
	More bool
	// Late is the longest time that a tenant had been due.
	Late time.Duration
}

// Rotate does all work that is due now, for all tenants: successors, reminders, expiries, deliveries. It walks the
// order of due times: store.DueShards partitions in parallel, the tenants of each one after the other. It begins no
// tenant in the last 45 seconds of ctx. It can be killed anywhere, run late and run twice at once. It returns an error
// only if the table fails outside of the work on one tenant. An error of a tenant is logged and counted, and the next
// hourly run tries again.
func (s *Service) Rotate(ctx context.Context, d Delivery) (Run, error) {
	var tenants, failed, late atomic.Int64
	var more atomic.Bool
	now := s.o.Now()
	soon, cancel := before(ctx, nearEnd) // after it no more tenants are begun
	defer cancel()
	group, inner := task.WithContext(ctx)
	for shard := range store.DueShards {
		group.Go(func() error {
			return s.walk(inner, shard, now, func(id string, at int64) bool {
				if soon.Err() != nil {
					more.Store(true)
					return false
				}
				tenants.Add(1)
				raise(&late, now.Unix()-at)
				if err := s.advance(ctx, id, at, d); err != nil {
					failed.Add(1)
					s.o.Log.WarnContext(ctx, "rotation will be tried again", "tenant", id, "error", err)
				}
				return true
			})
		})
	}
	err := group.Wait()
	if more.Load() {
		err = errors.Join(err, s.store.Write(ctx, store.PutItem(store.Again, store.Attrs{
			attrAt: s.o.Now().UnixMilli(), store.AttrWake: store.WakeRotate,
		})))
	}
	run := Run{
		Tenants: int(tenants.Load()), Failed: int(failed.Load()), More: more.Load(),
		Late: time.Duration(late.Load()) * time.Second,
	}
	s.o.Log.InfoContext(ctx, "rotation run", "tenants", run.Tenants, "failed", run.Failed, "more", run.More, "late",
		run.Late.String())
	return run, err
}

// walk calls do with each due tenant of a shard, earliest first, until do returns false. Each entry comes once.
func (s *Service) walk(ctx context.Context, shard int, now time.Time, do func(id string, at int64) bool) error {
	q := store.Query{
		PK: store.DuePK(shard), To: store.DueTime(now.Unix()) + "\x7f", Limit: duePage, Select: store.KeysOnly,
	}
	for item, err := range s.store.All(ctx, q) {
		if err != nil {
			return fmt.Errorf("tenant: due times: %w", err)
		}
		id, at, ok := store.DueOf(item.Key)
		if !ok {
			return fmt.Errorf("tenant: %q is no key of a due tenant", item.SK)
		}
		if !do(id, at) {
			return nil
		}
	}
	return nil
}

// before returns a context that ends some time before ctx does.
func before(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-d))
	}
	return context.WithCancel(ctx)
}

// raise makes n at least v.
func raise(n *atomic.Int64, v int64) {
	for {
		old := n.Load()
		if v <= old || n.CompareAndSwap(old, v) {
			return
		}
	}
}
