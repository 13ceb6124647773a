package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// testCost checks the cost that each kind of call adds to the meter.
func testCost(t *testing.T, s *suite) {
	t.Run("get", s.testGetCost)
	t.Run("query", s.testQueryCost)
	t.Run("plain writes", s.testPlainCost)
	t.Run("transactions", s.testTransactionCost)
	t.Run("batch", s.testBatchCost)
	t.Run("replay", func(t *testing.T) {
		ops := []store.Op{{Kind: store.Put, Key: store.Key{PK: pk(t), SK: "a"}}}
		token := uuid.NewString()
		call := func(ctx context.Context) error { return s.Transact(ctx, token, ops) }
		s.cost(t, store.Cost{Calls: 1, WriteUnits: 2}, call)
		ctx, m := store.WithMeter(t.Context())
		if err := call(ctx); err != nil {
			t.Fatal(err)
		}
		if c := m.Total(); c.Calls != 1 || c.ReadUnits+c.WriteUnits != 2 {
			t.Errorf("got %+v, want one call of two units", c)
		}
	})
}

// cost checks the cost that a call adds to the meter. The call must succeed, or fail by a condition.
func (s *suite) cost(t *testing.T, want store.Cost, call func(context.Context) error) {
	t.Helper()
	ctx, m := store.WithMeter(t.Context())
	var failed *store.ConditionError
	if err := call(ctx); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if got := m.Total(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func (s *suite) testGetCost(t *testing.T) {
	p := pk(t)
	var keys []store.Key
	for _, size := range []int{0, 200, 4096, 4097, 8193} {
		k := store.Key{PK: p, SK: fmt.Sprintf("%05d", size)}
		if size > 0 {
			s.put(t, k, itemOf(k, size))
		}
		keys = append(keys, k)
	}
	for i, units := range []float64{1, 1, 1, 2, 3} {
		s.cost(t, store.Cost{Calls: 1, ReadUnits: units}, func(ctx context.Context) error {
			_, _, err := s.Get(ctx, keys[i:i+1])
			return err
		})
	}
	s.cost(t, store.Cost{Calls: 1, ReadUnits: 8}, func(ctx context.Context) error {
		_, _, err := s.Get(ctx, keys)
		return err
	})
	s.cost(t, store.Cost{Calls: 1, ReadUnits: 3}, func(ctx context.Context) error {
		_, _, err := s.Get(ctx, []store.Key{{PK: p, SK: "x"}, {PK: p, SK: "y"}, {PK: p, SK: "z"}})
		return err
	})
}

func (s *suite) testQueryCost(t *testing.T) {
	p := pk(t)
	var ops []store.Op
	for i := range 50 {
		k := store.Key{PK: p, SK: fmt.Sprintf("%02d", i)}
		ops = append(ops, store.Op{Kind: store.Put, Key: k, Set: itemOf(k, 1000)})
	}
	for chunk := range slices.Chunk(ops, store.MaxBatchOps) {
		s.batch(t, chunk)
	}
	for _, c := range []struct {
		q     store.Query
		units float64
	}{
		{store.Query{PK: p}, 13}, // 50,000 bytes, rounded up once
		{store.Query{PK: p, Limit: 4}, 1},
		{store.Query{PK: p, Limit: 5}, 2},
		{store.Query{PK: p, Prefix: "1"}, 3},
		{store.Query{PK: p, Prefix: "x"}, 1},
		{store.Query{PK: p + "nothing"}, 1},
	} {
		for _, c.q.Select = range selections {
			c.q.Texts = nil
			if c.q.Select == store.Texts {
				c.q.Texts = []string{"x"}
			}
			s.cost(t, store.Cost{Calls: 1, ReadUnits: c.units}, func(ctx context.Context) error {
				_, err := s.Query(ctx, c.q)
				return err
			})
		}
	}
}

// writeCase is a write whose cost is known: the size of the item before it (0 for none) and after it, and its units.
type writeCase struct {
	name          string
	kind          store.OpKind
	before, after int
	failing       bool
	units         float64
	oldSize       bool // the units depend on the old item
}

func (c writeCase) op(t *testing.T, s *suite, p string) store.Op {
	t.Helper()
	k := store.Key{PK: p, SK: uuid.NewString()}
	if c.before > 0 {
		s.put(t, k, itemOf(k, c.before))
	}
	op := store.Op{Kind: c.kind, Key: k}
	if c.kind == store.Put {
		op.Set = itemOf(k, c.after)
	}
	if c.kind == store.Update { // grows by 3 bytes
		op.Set = store.Attrs{"yy": "z"}
	}
	if c.kind == store.Check || c.failing {
		op.If = []store.Cond{{Test: store.Exists}}
		if (c.before > 0) == c.failing {
			op.If[0].Test = store.Absent
		}
	}
	return op
}

var writeCases = []writeCase{
	{name: "new item of a kibibyte", kind: store.Put, after: 1024, units: 1},
	{name: "new item above", kind: store.Put, after: 1025, units: 2},
	{name: "new large item", kind: store.Put, after: 100 << 10, units: 100},
	{name: "rewrite", kind: store.Put, before: 3000, after: 3000, units: 3},
	{name: "growth", kind: store.Put, before: 300, after: 2049, units: 3},
	{name: "shrinking", kind: store.Put, before: 2049, after: 300, units: 3, oldSize: true},
	{name: "update of a small item", kind: store.Update, before: 1000, units: 1},
	{name: "update that makes an item", kind: store.Update, units: 1},
	{name: "update of a large item", kind: store.Update, before: 2048, units: 3, oldSize: true},
	{name: "delete a small item", kind: store.Delete, before: 1024, units: 1},
	{name: "delete a large item", kind: store.Delete, before: 2049, units: 3, oldSize: true},
	{name: "delete nothing", kind: store.Delete, units: 1},
	{name: "failed put", kind: store.Put, before: 1024, after: 1024, failing: true, units: 1},
	{name: "failed delete", kind: store.Delete, failing: true, units: 1},
}

func (s *suite) testPlainCost(t *testing.T) {
	p := pk(t)
	for _, c := range writeCases {
		t.Run(c.name, func(t *testing.T) {
			ops := []store.Op{c.op(t, s, p)}
			s.cost(t, store.Cost{Calls: 1, WriteUnits: c.units},
				func(ctx context.Context) error { return s.Transact(ctx, "", ops) })
		})
	}
}

func (s *suite) testTransactionCost(t *testing.T) {
	p := pk(t)
	cases := append(
		slices.Clone(writeCases),
		writeCase{name: "check of an item", kind: store.Check, before: 1000, units: 1},
		writeCase{name: "check of nothing", kind: store.Check, units: 1},
		writeCase{name: "failed check", kind: store.Check, failing: true, units: 1},
	)
	// An engine that says why it can't be held to the old sizes of items has no such case.
	cases = slices.DeleteFunc(cases, func(c writeCase) bool { return c.oldSize && s.x.OldSizes != "" })
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			op := c.op(t, s, p)
			s.cost(t, store.Cost{Calls: 1, WriteUnits: 2 * c.units}, func(ctx context.Context) error {
				return s.Transact(ctx, uuid.NewString(), []store.Op{op})
			})
			op = c.op(t, s, p)
			company := writeCase{kind: store.Put, after: 1500}.op(t, s, p)
			s.cost(t, store.Cost{Calls: 1, WriteUnits: 2*c.units + 4}, func(ctx context.Context) error {
				return s.Transact(ctx, "", []store.Op{company, op})
			})
		})
	}
	t.Run("a check alone is a transaction, too", func(t *testing.T) {
		op := writeCase{kind: store.Check, before: 300}.op(t, s, p)
		s.cost(t, store.Cost{Calls: 1, WriteUnits: 2},
			func(ctx context.Context) error { return s.Transact(ctx, "", []store.Op{op}) })
	})
}

func (s *suite) testBatchCost(t *testing.T) {
	p := pk(t)
	check := func(t *testing.T, units float64, ops ...store.Op) {
		t.Helper()
		s.cost(t, store.Cost{Calls: 1, WriteUnits: units}, func(ctx context.Context) error {
			undone, err := s.Batch(ctx, ops)
			if err == nil && len(undone) > 0 {
				return store.ErrThrottled
			}
			return err
		})
	}
	var ops []store.Op
	var units float64
	for _, c := range writeCases {
		absent := c.kind == store.Delete && c.before == 0
		if c.kind == store.Update || c.failing || absent && s.x.AbsentDeletes != "" {
			continue
		}
		t.Run(c.name, func(t *testing.T) { check(t, c.units, c.op(t, s, p)) })
		ops = append(ops, c.op(t, s, p))
		units += c.units
	}
	t.Run("all at once", func(t *testing.T) { check(t, units, ops...) })
	if s.x.AbsentDeletes != "" {
		t.Log("the deletion of nothing is not checked on this engine: " + s.x.AbsentDeletes)
	}
}
