package store_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
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

// TestItemBytes compares with sizes measured on DynamoDB Local 3.3 by filling items up to the limit.
func TestItemBytes(t *testing.T) {
	k := store.Key{PK: "p", SK: "é"}
	base := store.ItemBytes(k, nil)
	if base != 2+1+2+2 {
		t.Errorf("a key alone is %d bytes, want 7", base)
	}
	for n, want := range map[int64]int{
		0: 1, 1: 2, 9: 2, 10: 2, 12: 2, 99: 2, 100: 2, 101: 3, 123: 3, 1000: 2, 1234: 3, 12345: 4, 100000: 2, 120000: 2,
		1200000: 3,
		123456:  4, 1234567: 5, -1: 3, -12: 3, -100: 3, -123: 4, math.MaxInt64: 11, math.MinInt64: 12,
		1000000000000000001: 11, 10000000000: 2,
	} {
		if got := store.ItemBytes(k, store.Attrs{"n": n}) - base - 1; got != want {
			t.Errorf("%d is %d bytes, want %d", n, got, want)
		}
	}
	if got := store.ItemBytes(k, store.Attrs{"漢": "é", "b": []byte{1, 2}, "": ""}) - base; got != 3+2+1+2 {
		t.Errorf("got %d bytes, want 8", got)
	}
}

func TestUnits(t *testing.T) {
	for bytes, want := range map[int][2]float64{
		0: {1, 1}, 1: {1, 1}, 1024: {1, 1}, 1025: {1, 2}, 4096: {1, 4}, 4097: {2, 5}, store.MaxItemBytes: {100, 400},
	} {
		if r, w := store.ReadUnits(bytes), store.WriteUnits(bytes); r != want[0] || w != want[1] {
			t.Errorf("%d bytes: got %v and %v, want %v", bytes, r, w, want)
		}
	}
}

func TestMeters(t *testing.T) {
	outer, a := store.WithMeter(t.Context())
	inner, b := store.WithMeter(outer)
	other, c := store.WithMeter(outer)
	store.Charge(outer, store.Cost{Calls: 1, ReadUnits: 0.5})
	store.Charge(inner, store.Cost{Calls: 1, WriteUnits: 2})
	store.Charge(store.WithoutMeter(inner), store.Cost{Calls: 100})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { store.Charge(other, store.Cost{Calls: 1, ReadUnits: 1}) })
	}
	wg.Wait()
	for m, want := range map[*store.Meter]store.Cost{
		a: {Calls: 52, ReadUnits: 50.5, WriteUnits: 2},
		b: {Calls: 1, WriteUnits: 2},
		c: {Calls: 50, ReadUnits: 50},
	} {
		if got := m.Total(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// TestLargeCalls checks that a Store splits requests too large for one engine call, and keeps the order.
func TestLargeCalls(t *testing.T) {
	st := store.New(open(t), store.Options{})
	var ops []store.Op
	var keys []store.Key
	for i := range 1234 {
		k := store.Key{PK: "p", SK: fmt.Sprintf("%04d", i)}
		keys = append(keys, k, store.Key{PK: "none", SK: k.SK}, k)
		ops = append(ops, store.Op{Kind: store.Put, Key: k, Set: store.Attrs{"i": int64(i)}})
	}
	ctx, m := store.WithMeter(t.Context())
	if err := st.Batch(ctx, ops...); err != nil {
		t.Fatal(err)
	}
	if c := m.Total(); c.Calls != 50 || c.WriteUnits != 1234 {
		t.Errorf("got %+v for 1,234 puts", c)
	}
	items, err := st.Get(t.Context(), keys...)
	if err != nil || len(items) != len(keys) {
		t.Fatal(len(items), err)
	}
	for i, item := range items {
		there := i%3 != 1
		if item.Key != keys[i] || there != (item.Attrs != nil) || there && item.Attrs["i"] != int64(i/3) {
			t.Fatalf("item %d: got %v", i, item)
		}
	}
	i := 0
	for item, err := range st.All(t.Context(), store.Query{PK: "p", From: "0003", To: "1000", Limit: 100}) {
		if err != nil || item.SK != fmt.Sprintf("%04d", i+3) {
			t.Fatal(item, err)
		}
		if i++; i == 500 {
			break
		}
	}
	var limit *store.LimitError
	if err := st.Batch(t.Context(), append(ops, ops[0])...); !errors.As(err, &limit) {
		t.Errorf("a key twice in different chunks: %v", err)
	}
	for _, call := range []func() error{
		func() error { return st.Batch(t.Context()) },
		func() error { return st.Transact(t.Context()) },
		func() error { _, err := st.Get(t.Context()); return err },
	} {
		if err := call(); err != nil {
			t.Errorf("an empty call: %v", err)
		}
	}
}

// untouched is an engine that fails the test if it is called.
type untouched struct {
	store.Engine
	t *testing.T
}

func (u untouched) Get(context.Context, []store.Key) ([]store.Item, []int, error) {
	u.t.Error("Get reached the engine")
	return nil, nil, nil
}

func (u untouched) Query(context.Context, store.Query) (store.Page, error) {
	u.t.Error("Query reached the engine")
	return store.Page{}, nil
}

func (u untouched) Transact(context.Context, string, []store.Op) error {
	u.t.Error("Transact reached the engine")
	return nil
}

func (u untouched) Batch(context.Context, []store.Op) ([]int, error) {
	u.t.Error("Batch reached the engine")
	return nil, nil
}

// TestFence checks that each method of a tenant's Store refuses partitions of others before it calls the engine.
func TestFence(t *testing.T) {
	ctx := t.Context()
	own := store.KeysOf("acme").User("1")
	fenced := store.New(untouched{t: t}, store.Options{}).Tenant("acme")
	for _, pk := range []string{
		"", "T#", "T#other", "T#other#U", "T#acm", "T#acme2", "T#acme2#U", "T#acme-x#U", "t#acme",
		store.TenantsPK, "T#acme\x01#U", " T#acme",
	} {
		k := store.Key{PK: pk, SK: "a"}
		good, bad := store.Op{Kind: store.Delete, Key: own}, store.Op{Kind: store.Delete, Key: k}
		_, getErr := fenced.Get(ctx, own, k)
		_, queryErr := fenced.Query(ctx, store.Query{PK: pk})
		_, countErr := fenced.Count(ctx, k)
		var allErr error
		for _, err := range fenced.All(ctx, store.Query{PK: pk}) {
			allErr = err
		}
		for method, err := range map[string]error{
			"Get": getErr, "Query": queryErr, "All": allErr, "Count": countErr,
			"Transact": fenced.Transact(ctx, good, bad), "Write": fenced.Write(ctx, bad),
			"Batch": fenced.Batch(ctx, good, bad),
		} {
			if !errors.Is(err, store.ErrForeignKey) {
				t.Errorf("%s on %q: got %v, want ErrForeignKey", method, pk, err)
			}
		}
	}
	st := store.New(open(t), store.Options{}).Tenant("acme")
	for _, k := range []store.Key{st.Keys.Tenant(), st.User("1"), st.Member("g", "m"), st.Counter("users", "1")} {
		if err := st.Transact(ctx, store.Op{Kind: store.Put, Key: k, Set: store.Attrs{"a": "b"}}); err != nil {
			t.Errorf("%q: %v", k, err)
		}
		if err := st.Write(ctx, store.Op{Kind: store.Update, Key: k, Add: map[string]int64{"n": 1}}); err != nil {
			t.Errorf("%q: %v", k, err)
		}
		if items, err := st.Get(ctx, k); err != nil || items[0].Attrs["n"] != int64(1) {
			t.Errorf("%q: %v, %v", k, items, err)
		}
		if page, err := st.Query(ctx, store.Query{PK: k.PK}); err != nil || page.Count != 1 {
			t.Errorf("%q: %v, %v", k, page, err)
		}
		for item, err := range st.All(ctx, store.Query{PK: k.PK}) {
			if err != nil || item.Key != k {
				t.Errorf("%q: %v, %v", k, item, err)
			}
		}
		if err := st.Batch(ctx, store.Op{Kind: store.Delete, Key: k}); err != nil {
			t.Errorf("%q: %v", k, err)
		}
	}
}

func TestJoinAndSplit(t *testing.T) {
	for _, parts := range [][]string{
		{"a"},
		{"a", "b"},
		{"", ""},
		{"\x00\x01\x02", "\x02\x03", "\x01"},
		{strings.Repeat("\x02", 9), "é"},
	} {
		joined := store.Join(parts...)
		if got := store.Split(joined); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", parts) {
			t.Errorf("%q became %q and %q", parts, joined, got)
		}
		if got, want := store.LastPart(joined), parts[len(parts)-1]; got != want {
			t.Errorf("the last part of %q is %q, want %q", joined, got, want)
		}
	}
	if a, b := store.Join("a\x01b"), store.Join("a", "b"); a == b {
		t.Errorf("two different lists of parts give %q", a)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("a", "b\x01")
	f.Add("\x02", "\x00\x02\x03")
	f.Fuzz(func(t *testing.T, a, b string) {
		if got := store.Split(store.Join(a, b)); len(got) != 2 || got[0] != a || got[1] != b {
			t.Errorf("%q, %q became %q", a, b, got)
		}
		if got := store.LastPart(store.Join(a, b)); got != b {
			t.Errorf("the last part of %q, %q became %q", a, b, got)
		}
		if a < b && !strings.HasPrefix(b, a) && store.Join(a) >= store.Join(b) {
			t.Errorf("%q sorts before %q, joined it does not", a, b)
		}
	})
}
