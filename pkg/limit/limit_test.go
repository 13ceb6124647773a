package limit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/limit"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

func TestBounds(t *testing.T) {
	for text, want := range map[string]limit.Bounds{
		"":        {},
		"1,2,3,4": {Default: limit.Rate{PerSecond: 1, Burst: 2}, Max: limit.Rate{PerSecond: 3, Burst: 4}},
		"25,100,200,1000": {
			Default: limit.Rate{PerSecond: 25, Burst: 100}, Max: limit.Rate{PerSecond: 200, Burst: 1000},
		},
	} {
		var got limit.Bounds
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"1", "1,2,3", "1,2,3,4,5", "0,1,1,1", "-1,2,3,4", "a,b,c,d", "5,1,4,9", "1,9,5,8", "1,2,3,99999999",
	} {
		var got limit.Bounds
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken as %+v", text, got)
		}
	}
}

// TestWalks: three requests of a tenant may walk at once; a place is free again once its walk has ended, or a minute
// after its process died.
func TestWalks(t *testing.T) {
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	st := store.New(engine, store.Options{})
	now := time.Now() // the engine drops expired items by its own clock
	var bounds limit.Bounds
	if err := bounds.UnmarshalText([]byte("25,100,25,100")); err != nil {
		t.Fatal(err)
	}
	s := limit.New(st, bounds, func() time.Time { return now })
	// walk reads nine pages, one more than is free.
	walk := func(tenantID string, pages int) (end func(), err error) {
		ctx, end := s.Walks(t.Context(), tenantID)
		for range pages {
			release, err := st.Tenant(tenantID).Reserve(ctx, 1)
			release()
			if err != nil {
				return end, err
			}
		}
		return end, nil
	}
	var ends []func()
	for range 3 {
		end, err := walk("acme", 9)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	refused := func() {
		t.Helper()
		end, err := walk("acme", 9)
		end()
		if busy := (*limit.BusyError)(nil); !errors.As(err, &busy) || !busy.Walk {
			t.Errorf("a fourth walk: %v", err)
		}
	}
	refused()
	for tenantID, pages := range map[string]int{"acme": 8, "other": 9} {
		end, err := walk(tenantID, pages)
		end()
		if err != nil {
			t.Errorf("%d pages of %s: %v", pages, tenantID, err)
		}
	}
	ends[1]()
	end, err := walk("acme", 9)
	if err != nil {
		t.Errorf("behind a walk that has ended: %v", err)
	}
	end()
	if _, err := walk("acme", 9); err != nil { // never ends
		t.Fatal(err)
	}
	refused()
	now = now.Add(61 * time.Second)
	end, err = walk("acme", 9)
	if err != nil {
		t.Errorf("a minute later: %v", err)
	}
	// A walk whose place was taken over does not give that away.
	ends[0]()
	ends[2]()
	end()
}

// TestRefusalCalls: a refusal writes once to learn that a window is used up, and no more in this window. A walk that
// finds no place writes once for each.
func TestRefusalCalls(t *testing.T) {
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	st := store.New(engine, store.Options{})
	now := time.Now().Truncate(10 * time.Second) // the engine drops expired items by its own clock
	bounds := limit.Bounds{Default: limit.Rate{PerSecond: 1, Burst: 10}, Max: limit.Rate{PerSecond: 1, Burst: 10}}
	process := func() *limit.Service { return limit.New(st, bounds, func() time.Time { return now }) }
	calls := func(do func(ctx context.Context) error) (n int, refused bool) {
		ctx, meter := store.WithMeter(t.Context())
		busy := (*limit.BusyError)(nil)
		err := do(ctx)
		if refused = errors.As(err, &busy); err != nil && !refused {
			t.Fatal(err)
		}
		return meter.Total().Calls, refused
	}
	first, second := process(), process()
	for i, want := range []struct {
		by      *limit.Service
		times   int // as often
		calls   int // each time
		refused bool
	}{
		{first, 1, 0, false},  // its free portion
		{first, 1, 2, false},  // it begins the window
		{first, 9, 1, false},  // a portion is one request here
		{first, 1, 1, true},   // the window is used up
		{first, 3, 0, true},   //
		{second, 1, 0, false}, // its free portion
		{second, 1, 1, true},  //
		{second, 3, 0, true},  //
	} {
		for range want.times {
			n, refused := calls(func(ctx context.Context) error { return want.by.Take(ctx, "acme", limit.Rate{}) })
			if n != want.calls || refused != want.refused {
				t.Errorf("step %d: %d calls, refused %v, want %d, %v", i, n, refused, want.calls, want.refused)
			}
		}
	}
	for i, want := range []int{1, 2, 3, 3} { // places are tried in turn
		n, refused := calls(func(ctx context.Context) (err error) {
			ctx, _ = first.Walks(ctx, "acme") // it never ends
			for range 9 {
				_, err = st.Tenant("acme").Reserve(ctx, 1)
			}
			return err
		})
		if n != want || refused != (i == 3) {
			t.Errorf("walk %d: %d calls, refused %v, want %d", i, n, refused, want)
		}
	}
}

// TestNil: without bounds nothing is bounded.
func TestNil(t *testing.T) {
	s := limit.New(nil, limit.Bounds{}, nil)
	s.Wrong("192.0.2.1")
	ctx, end := s.Walks(context.Background(), "acme")
	end()
	if err := errors.Join(s.Take(ctx, "acme", limit.Rate{}), s.Listen("192.0.2.1")); err != nil {
		t.Error(err)
	}
}
