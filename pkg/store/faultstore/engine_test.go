package faultstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/storetest"
)

func open(t *testing.T) *boltstore.Engine {
	t.Helper()
	e, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestWithoutFaultsItIsTheEngine(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Engine { return faultstore.New(open(t), nil) })
}

// TestStoreSurvives runs a program of writes and reads against many seeds, at a rate at which half of the calls go
// wrong: nothing is lost and nothing happens twice.
func TestStoreSurvives(t *testing.T) {
	for _, fault := range []faultstore.Fault{
		faultstore.Conflict, faultstore.Throttled, faultstore.LostRequest,
		faultstore.LostAnswer, faultstore.Partial,
	} {
		t.Run(fmt.Sprintf("fault %d", fault), func(t *testing.T) { survive(t, faultstore.Random(1, 0.5, fault)) })
	}
	for seed := range uint64(20) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { survive(t, faultstore.Random(seed, 0.5)) })
	}
}

func survive(t *testing.T, plan faultstore.Plan) {
	inner := open(t)
	st := store.New(faultstore.New(inner, plan), store.Options{BaseDelay: time.Microsecond, MaxWait: time.Minute})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	counter := store.Key{PK: "counter", SK: "a"}
	for i := range 20 {
		must(st.Transact(
			ctx,
			store.Op{Kind: store.Update, Key: counter, Add: map[string]int64{"n": 1}},
			store.Op{
				Kind: store.Put, Key: store.Key{PK: "unique", SK: fmt.Sprintf("%02d", i)},
				If: []store.Cond{{Test: store.Absent}},
			},
		))
		must(st.Write(ctx, store.Op{
			Kind: store.Put, Key: store.Key{PK: "plain", SK: fmt.Sprintf("%02d", i)},
			Set: store.Attrs{"i": int64(i)},
		}))
	}
	var ops []store.Op
	var keys []store.Key
	for i := range 130 {
		k := store.Key{PK: "batch", SK: fmt.Sprintf("%03d", i)}
		keys = append(keys, k)
		ops = append(ops, store.Op{Kind: store.Put, Key: k, Set: store.Attrs{"i": int64(i)}})
	}
	must(st.Batch(ctx, ops...))
	items, err := st.Get(ctx, append(slices.Clone(keys), counter, counter, store.Key{PK: "none", SK: "a"})...)
	must(err)
	for i := range keys {
		if items[i].Key != keys[i] || items[i].Attrs["i"] != int64(i) {
			t.Errorf("item %d: got %v", i, items[i])
		}
	}
	if n := items[130].Attrs["n"]; n != int64(20) || items[131].Attrs["n"] != n || items[132].Attrs != nil {
		t.Errorf("got %v, want the counter at 20 twice and nothing", items[130:])
	}
	for partition, want := range map[string]int{"unique": 20, "plain": 20, "batch": 130} {
		n := 0
		for _, err := range st.All(ctx, store.Query{PK: partition, Limit: 7}) {
			must(err)
			n++
		}
		if n != want {
			t.Errorf("%s: %d items, want %d", partition, n, want)
		}
	}
}

// TestWriteNeverRepeatsWhatMayHaveHappened: a plain Add, or a plain conditional write, is not tried again after a lost
// answer.
func TestWriteNeverRepeatsWhatMayHaveHappened(t *testing.T) {
	k := store.Key{PK: "p", SK: "a"}
	for name, op := range map[string]store.Op{
		"add": {Kind: store.Update, Key: k, Add: map[string]int64{"n": 1}},
		"condition": {
			Kind: store.Update, Key: k, Set: store.Attrs{"n": int64(1)}, If: []store.Cond{{Test: store.Absent}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := faultstore.New(open(t),
				faultstore.Script(faultstore.Conflict, faultstore.Throttled, faultstore.LostAnswer))
			st := store.New(e, store.Options{BaseDelay: time.Microsecond})
			if err := st.Write(t.Context(), op); !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("got %v, want ErrUnavailable", err)
			}
			if e.Calls() != 3 {
				t.Errorf("%d calls, want 3", e.Calls())
			}
			items, err := st.Get(t.Context(), k)
			if err != nil || items[0].Attrs["n"] != int64(1) {
				t.Errorf("got %v, %v; want it to have happened once", items, err)
			}
		})
	}
}

// TestExhausted checks the error after retries that never helped: it never claims that nothing happened when something
// may have.
func TestExhausted(t *testing.T) {
	op := store.Op{Kind: store.Put, Key: store.Key{PK: "p", SK: "a"}}
	for _, c := range []struct {
		first, then faultstore.Fault
		want        error
		not         []error
	}{
		{
			faultstore.Conflict, faultstore.Conflict, store.ErrConflict,
			[]error{store.ErrUnavailable, store.ErrThrottled},
		},
		{
			faultstore.Conflict, faultstore.Throttled, store.ErrThrottled,
			[]error{store.ErrUnavailable, store.ErrConflict},
		},
		{faultstore.Throttled, faultstore.LostAnswer, store.ErrUnavailable, []error{store.ErrThrottled}},
		{faultstore.LostAnswer, faultstore.Throttled, store.ErrUnavailable, []error{store.ErrThrottled}},
		{faultstore.LostRequest, faultstore.Conflict, store.ErrUnavailable, []error{store.ErrConflict}},
	} {
		plan := func(n int) faultstore.Fault {
			if n == 0 {
				return c.first
			}
			return c.then
		}
		st := store.New(faultstore.New(open(t), plan),
			store.Options{BaseDelay: time.Microsecond, MaxWait: 20 * time.Millisecond})
		err := st.Transact(t.Context(), op)
		if !errors.Is(err, c.want) {
			t.Errorf("%d then %d: got %v, want %v", c.first, c.then, err, c.want)
		}
		for _, not := range c.not {
			if errors.Is(err, not) {
				t.Errorf("%d then %d: %v also says %v", c.first, c.then, err, not)
			}
		}
	}
}

// TestContextEndsRetries checks that the caller's context is honoured while a Store waits.
func TestContextEndsRetries(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	plan := func(n int) faultstore.Fault {
		if n == 3 {
			cancel()
		}
		return faultstore.Throttled
	}
	st := store.New(faultstore.New(open(t), plan), store.Options{BaseDelay: time.Microsecond})
	_, err := st.Get(ctx, store.Key{PK: "p", SK: "a"})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, store.ErrThrottled) {
		t.Errorf("got %v, want context.Canceled and ErrThrottled", err)
	}
}

func TestKill(t *testing.T) {
	e := faultstore.New(open(t), nil)
	st := store.New(e, store.Options{})
	put := func(sk string) error {
		return st.Write(t.Context(), store.Op{Kind: store.Put, Key: store.Key{PK: "p", SK: sk}})
	}
	get := func() error {
		_, err := st.Get(t.Context(), store.Key{PK: "p", SK: "a"})
		return err
	}
	for n := range 4 {
		e.KillAfter(n)
		for i := range 6 {
			if err := get(); (i < n) != (err == nil) || err != nil && !errors.Is(err, faultstore.ErrKilled) {
				t.Errorf("killed after %d, call %d: %v", n, i, err)
			}
		}
		if !e.Killed() {
			t.Errorf("not killed after %d", n)
		}
		e.Revive()
	}
	e.KillAfterWrites(2)
	for i, step := range []struct {
		call func() error
		ok   bool
	}{
		{get, true},
		{func() error { return put("a") }, true},
		{get, true},
		{func() error { return put("b") }, true},
		{get, true},
		{func() error { return put("c") }, false},
		{get, false},
	} {
		if err := step.call(); (err == nil) != step.ok {
			t.Errorf("step %d: %v", i, err)
		}
	}
	e.Revive()
	page, err := st.Query(t.Context(), store.Query{PK: "p"})
	if err != nil || page.Count != 2 {
		t.Errorf("got %d items, %v; want the two written before the end", page.Count, err)
	}
}

func TestRandomIsTheSameAgain(t *testing.T) {
	a, b, wrong := faultstore.Random(7, 0.3), faultstore.Random(7, 0.3), 0
	for n := range 1000 {
		if a(n) != b(n) {
			t.Fatalf("call %d differs", n)
		}
		if a(n) != faultstore.None {
			wrong++
		}
	}
	if wrong < 200 || wrong > 400 {
		t.Errorf("%d of 1,000 calls go wrong at a rate of 0.3", wrong)
	}
}
