package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// remote is an engine that takes as long as one that is asked over a network: a time for each call, and as long again
// for every 128 KB that a page holds, which is what DynamoDB reads in about 5 ms.
type remote struct {
	store.Engine
	latency time.Duration
	near    atomic.Bool // while true, it takes no longer than it must
}

// portion is how much of a page takes as long as a call.
const portion = 128 << 10

// open opens the server, on a remote engine where there is a latency; begin starts that.
func open(ctx context.Context, o options) (s *local.Server, begin func(), err error) {
	if o.latency == 0 {
		s, err = local.Open(ctx, o.local)
		return s, func() {}, err
	}
	path := o.local.Data
	if path != boltstore.Memory {
		path = filepath.Join(path, "scim.db")
	}
	inner, err := boltstore.Open(path, boltstore.Options{Now: o.local.Now})
	if err != nil {
		return nil, nil, fmt.Errorf("bench: %w", err)
	}
	r := &remote{Engine: inner, latency: o.latency}
	r.near.Store(true)
	return local.New(o.local, r, inner), func() { r.near.Store(false) }, nil
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
	return r.Engine.Get(ctx, keys)
}

// Query is store.Engine.Query.
func (r *remote) Query(ctx context.Context, q store.Query) (store.Page, error) {
	inner, meter := store.WithMeter(ctx)
	page, err := r.Engine.Query(inner, q)
	r.wait(ctx, 1+meter.Total().ReadUnits*4096/portion)
	return page, err
}

// Transact is store.Engine.Transact.
func (r *remote) Transact(ctx context.Context, token string, ops []store.Op) error {
	r.wait(ctx, 2)
	return r.Engine.Transact(ctx, token, ops)
}

// Batch is store.Engine.Batch.
func (r *remote) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	r.wait(ctx, 1)
	return r.Engine.Batch(ctx, ops)
}
