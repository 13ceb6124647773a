package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// remote is an engine that takes as long as one that is asked over a network: a time for each call, and as long
// again for every 128 KB that a page holds, which DynamoDB reads in about 5 ms. It adds up the cost of all calls,
// those of the background as well.
type remote struct {
	store.Engine
	latency time.Duration
	near    atomic.Bool // while true, it takes no longer than it must

	mu    sync.Mutex
	total store.Cost
}

// spent is the cost of all calls so far.
func (r *remote) spent() store.Cost {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}

// bill returns a context whose cost is added to the total when done is called.
func (r *remote) bill(ctx context.Context) (inner context.Context, done func()) {
	inner, meter := store.WithMeter(ctx)
	return inner, func() {
		c := meter.Total()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.total.Calls += c.Calls
		r.total.ReadUnits += c.ReadUnits
		r.total.WriteUnits += c.WriteUnits
	}
}

// portion is the number of bytes of a page that take as long as a call.
const portion = 128 << 10

// opened is a server on its engine.
type opened struct {
	*local.Server
	// begin starts the latency.
	begin func()
	// spent returns the cost of all calls of the engine so far; nil: that is not known.
	spent func() store.Cost
}

// open opens the server: with the embedded engine on a remote one, which is near until begin.
func open(ctx context.Context, o options) (opened, error) {
	if o.local.Engine != "bolt" {
		s, err := local.Open(ctx, o.local)
		return opened{s, func() {}, nil}, err
	}
	path := o.local.Data
	if path != boltstore.Memory {
		path = filepath.Join(path, "scim.db")
	}
	inner, err := boltstore.Open(path, boltstore.Options{Now: o.local.Now})
	if err != nil {
		return opened{}, fmt.Errorf("bench: %w", err)
	}
	r := &remote{Engine: inner, latency: o.latency}
	r.near.Store(true)
	begin := func() { r.near.Store(o.latency == 0) }
	return opened{local.New(o.local, r, inner), begin, r.spent}, nil
}

// wait waits for so many latencies, or the end of ctx.
func (r *remote) wait(ctx context.Context, times float64) {
	if r.near.Load() {
		return
	}
	t := time.NewTimer(time.Duration(times * float64(r.latency)))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Get is store.Engine.Get.
func (r *remote) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	r.wait(ctx, 1)
	ctx, done := r.bill(ctx)
	defer done()
	return r.Engine.Get(ctx, keys)
}

// Query is store.Engine.Query.
func (r *remote) Query(ctx context.Context, q store.Query) (store.Page, error) {
	ctx, done := r.bill(ctx)
	defer done()
	inner, meter := store.WithMeter(ctx)
	page, err := r.Engine.Query(inner, q)
	r.wait(ctx, 1+meter.Total().ReadUnits*4096/portion)
	return page, err
}

// Transact is store.Engine.Transact.
func (r *remote) Transact(ctx context.Context, token string, ops []store.Op) error {
	r.wait(ctx, 2)
	ctx, done := r.bill(ctx)
	defer done()
	return r.Engine.Transact(ctx, token, ops)
}

// Batch is store.Engine.Batch.
func (r *remote) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	r.wait(ctx, 1)
	ctx, done := r.bill(ctx)
	defer done()
	return r.Engine.Batch(ctx, ops)
}
