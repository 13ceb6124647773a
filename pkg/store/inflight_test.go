package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestReserve lets many walks at once work on pages: never more bytes than the bound are in their hands, each walk
// comes to its turn, and what asks for more than the bound gets all of it.
func TestReserve(t *testing.T) {
	const bound = 4 << 20
	st := store.New(open(t), store.Options{MaxInFlight: bound})
	var held, most atomic.Int64
	var wg sync.WaitGroup
	for walk := range 16 {
		wg.Go(func() {
			for range 200 {
				bytes := store.MaxPageBytes
				if walk == 0 {
					bytes = 2 * bound
				}
				release, err := st.Tenant(fmt.Sprint(walk)).Reserve(t.Context(), bytes)
				if err != nil {
					t.Error(err)
					return
				}
				weight := int64(min(bytes, bound))
				now := held.Add(weight)
				for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
				}
				held.Add(-weight)
				release()
			}
		})
	}
	wg.Wait()
	if most.Load() > bound {
		t.Errorf("%d bytes were in flight, more than %d", most.Load(), bound)
	}
}

// TestReserveEndsWithContext: who waits for room gives up with the request, and takes nothing along.
func TestReserveEndsWithContext(t *testing.T) {
	st := store.New(open(t), store.Options{MaxInFlight: store.MaxPageBytes})
	release, err := st.Reserve(t.Context(), store.MaxPageBytes)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	nothing, err := st.Reserve(ctx, 1)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	nothing()
	release()
	again, err := st.Reserve(t.Context(), store.MaxPageBytes)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

// TestAllEndsWithContext: a walk ends between two items of a page.
func TestAllEndsWithContext(t *testing.T) {
	st := store.New(open(t), store.Options{})
	for i := range 10 {
		k := store.Key{PK: "p", SK: fmt.Sprint(i)}
		if err := st.Write(t.Context(), store.Op{Kind: store.Put, Key: k}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	var last error
	for _, err := range st.All(ctx, store.Query{PK: "p"}) {
		if last = err; err == nil {
			if seen++; seen == 3 {
				cancel()
			}
		}
	}
	if seen != 3 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d items, then %v; want 3 and context.Canceled", seen, last)
	}
}
