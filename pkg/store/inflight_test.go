package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestReserve lets many walks at once work on pages: never more bytes than the bound are in their hands, each walk
// comes to its turn, and a walk that asks for more than the bound gets all of it.
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

// TestPortions reads items by key in portions: each key comes once, also if an answer can't hold all of them, and no
// more bytes than the bound are in hand, but for the first answer, which nobody knows the size of.
func TestPortions(t *testing.T) {
	for _, c := range []struct{ items, bytes, calls int }{
		{0, 0, 0},
		{5, 100, 1},
		{350, 100, 4},
		{60, 300 << 10, 2}, // 16 MiB hold 54 of them
		{120, 300 << 10, 4},
	} {
		t.Run(fmt.Sprintf("%d of %d bytes", c.items, c.bytes), func(t *testing.T) {
			st := store.New(open(t), store.Options{MaxInFlight: 32 << 20})
			keys := make([]store.Key, c.items)
			value := strings.Repeat("x", c.bytes)
			for i := range keys {
				keys[i] = store.Key{PK: "p", SK: fmt.Sprint(i)}
				op := store.Op{Kind: store.Put, Key: keys[i], Set: store.Attrs{"v": value}}
				if err := st.Write(t.Context(), op); err != nil {
					t.Fatal(err)
				}
			}
			ctx, meter := store.WithMeter(t.Context())
			seen := map[int]int{}
			err := st.Portions(ctx, keys, func(at []int, items []store.Item) (bool, error) {
				for i, it := range items {
					if seen[at[i]]++; it.Key != keys[at[i]] || it.Attrs["v"] != value {
						t.Errorf("item %q at %d", it.SK, at[i])
					}
				}
				return true, nil
			})
			if err != nil || len(seen) != c.items {
				t.Errorf("%d items, %v; want %d", len(seen), err, c.items)
			}
			for i, n := range seen {
				if n != 1 {
					t.Errorf("item %d came %d times", i, n)
				}
			}
			if got := meter.Total().Calls; got != c.calls {
				t.Errorf("%d calls, want %d", got, c.calls)
			}
		})
	}
}

// TestPortionsEnd: after use has had enough, or failed, nothing more is read, and all that was reserved is given back.
func TestPortionsEnd(t *testing.T) {
	st := store.New(open(t), store.Options{MaxInFlight: store.MaxPageBytes})
	keys := make([]store.Key, 1000)
	for i := range keys {
		keys[i] = store.Key{PK: "p", SK: fmt.Sprint(i)}
	}
	broken := errors.New("broken")
	for _, want := range []error{nil, broken} {
		calls := 0
		err := st.Portions(t.Context(), keys, func([]int, []store.Item) (bool, error) {
			calls++
			return false, want
		})
		if !errors.Is(err, want) || calls != 1 {
			t.Errorf("%d calls, %v; want one and %v", calls, err, want)
		}
		release, err := st.Reserve(t.Context(), store.MaxPageBytes)
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
}
