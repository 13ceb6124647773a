package storetest

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// testTransactions checks that a transaction happens whole or not at all, and says everything that was wrong with it.
func testTransactions(t *testing.T, s *suite) {
	t.Run("all kinds at once", func(t *testing.T) {
		p := pk(t)
		key := func(sk string) store.Key { return store.Key{PK: p, SK: sk} }
		for _, sk := range []string{"update", "delete", "check"} {
			s.put(t, key(sk), store.Attrs{"n": int64(1), "old": "v"})
		}
		other := store.Key{PK: pk(t), SK: "update"}
		err := s.transact(t,
			store.Op{
				Kind: store.Put, Key: key("put"), Set: store.Attrs{"a": "b"}, If: []store.Cond{{Test: store.Absent}},
			},
			store.Op{Kind: store.Update, Key: key("update"), Add: map[string]int64{"n": 2}, Unset: []string{"old"}},
			store.Op{Kind: store.Delete, Key: key("delete")},
			store.Op{Kind: store.Check, Key: key("check"), If: []store.Cond{{Test: store.Exists}}},
			store.Op{Kind: store.Put, Key: other, Set: nil},
		)
		if err != nil {
			t.Fatal(err)
		}
		s.expect(t, key("put"), store.Attrs{"a": "b"})
		s.expect(t, key("update"), store.Attrs{"n": int64(3)})
		s.expect(t, key("delete"), nil)
		s.expect(t, key("check"), store.Attrs{"n": int64(1), "old": "v"})
		s.expect(t, other, store.Attrs{})
	})
	t.Run("nothing where conditions fail, and every one is reported", func(t *testing.T) {
		p := pk(t)
		var ops []store.Op
		for i := range 6 {
			k := store.Key{PK: p, SK: fmt.Sprint(i)}
			op := store.Op{Kind: store.Put, Key: k, Set: store.Attrs{"new": int64(i)}}
			switch i {
			case 1: // fails on an item
				s.put(t, k, store.Attrs{"old": int64(1), "b": []byte{0}})
				op.If = []store.Cond{{Test: store.Absent}}
			case 2: // fails on none
				op.If = []store.Cond{{Test: store.Exists}}
			case 3: // holds
				op.If = []store.Cond{{Test: store.Absent}}
			case 5: // fails on an item without attributes
				s.put(t, k, nil)
				op.Kind, op.Set, op.If = store.Check, nil, []store.Cond{{Test: store.Absent}}
			}
			ops = append(ops, op)
		}
		wantFailed(
			t, s.transact(t, ops...),
			store.FailedCondition{Index: 1, Attrs: store.Attrs{"old": int64(1), "b": []byte{0}}},
			store.FailedCondition{Index: 2},
			store.FailedCondition{Index: 5, Attrs: store.Attrs{}},
		)
		for _, i := range []int{0, 2, 3, 4} {
			s.expect(t, ops[i].Key, nil)
		}
		s.expect(t, ops[1].Key, store.Attrs{"old": int64(1), "b": []byte{0}})
	})
	t.Run("nothing where an update cannot be done", func(t *testing.T) {
		p := pk(t)
		a, b := store.Key{PK: p, SK: "a"}, store.Key{PK: p, SK: "b"}
		s.put(t, b, store.Attrs{"s": "text"})
		err := s.transact(
			t,
			store.Op{Kind: store.Put, Key: a},
			store.Op{Kind: store.Update, Key: b, Add: map[string]int64{"s": 1}},
		)
		wantLimit(t, err)
		s.expect(t, a, nil)
		s.expect(t, b, store.Attrs{"s": "text"})
	})
}

// testWrites checks the result of each kind of operation on an item.
func testWrites(t *testing.T, s *suite) {
	base := store.Attrs{"s": "v", "n": int64(7), "b": []byte("x")}
	for _, c := range []struct {
		name         string
		before, want store.Attrs
		op           store.Op
	}{
		{
			"put replaces the whole item", base,
			store.Attrs{"t": "w"},
			store.Op{Kind: store.Put, Set: store.Attrs{"t": "w"}},
		},
		{"put without attributes", base, store.Attrs{}, store.Op{Kind: store.Put}},
		{
			"set keeps the rest", base,
			store.Attrs{"s": "w", "n": int64(7), "b": []byte("x")},
			store.Op{Kind: store.Update, Set: store.Attrs{"s": "w"}},
		},
		{
			"set changes a type", base,
			store.Attrs{"s": int64(1), "n": "t", "b": []byte("x")},
			store.Op{Kind: store.Update, Set: store.Attrs{"s": int64(1), "n": "t"}},
		},
		{"set creates", nil, store.Attrs{"s": "w"}, store.Op{Kind: store.Update, Set: store.Attrs{"s": "w"}}},
		{
			"add", base,
			store.Attrs{"s": "v", "n": int64(4), "b": []byte("x")},
			store.Op{Kind: store.Update, Add: map[string]int64{"n": -3}},
		},
		{
			"add to a missing attribute", base,
			store.Attrs{"s": "v", "n": int64(7), "b": []byte("x"), "m": int64(-3)},
			store.Op{Kind: store.Update, Add: map[string]int64{"m": -3}},
		},
		{"add creates", nil, store.Attrs{"m": int64(2)}, store.Op{Kind: store.Update, Add: map[string]int64{"m": 2}}},
		{"add nothing", nil, store.Attrs{"m": int64(0)}, store.Op{Kind: store.Update, Add: map[string]int64{"m": 0}}},
		{"unset", base, store.Attrs{"n": int64(7)}, store.Op{Kind: store.Update, Unset: []string{"s", "b", "missing"}}},
		{
			"unset the last attribute",
			store.Attrs{"s": "v"},
			store.Attrs{},
			store.Op{Kind: store.Update, Unset: []string{"s"}},
		},
		{"unset creates", nil, store.Attrs{}, store.Op{Kind: store.Update, Unset: []string{"s"}}},
		{
			"set, add and unset at once", base,
			store.Attrs{"s": "w", "n": int64(8), "m": int64(1)},
			store.Op{
				Kind: store.Update, Set: store.Attrs{"s": "w"}, Add: map[string]int64{"n": 1, "m": 1},
				Unset: []string{"b"},
			},
		},
		{"update without a change", base, base, store.Op{Kind: store.Update}},
		{"update without a change creates", nil, store.Attrs{}, store.Op{Kind: store.Update}},
		{"delete", base, nil, store.Op{Kind: store.Delete}},
		{"delete nothing", nil, nil, store.Op{Kind: store.Delete}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, write := range []func(*testing.T, store.Op) error{
				s.plain,
				func(t *testing.T, op store.Op) error { return s.transact(t, op) },
			} {
				c.op.Key = store.Key{PK: pk(t), SK: "a"}
				if c.before != nil {
					s.put(t, c.op.Key, c.before)
				}
				if err := write(t, c.op); err != nil {
					t.Fatal(err)
				}
				s.expect(t, c.op.Key, c.want)
			}
		})
	}
	t.Run("batch", func(t *testing.T) {
		p := pk(t)
		var ops []store.Op
		for i := range store.MaxBatchOps {
			op := store.Op{Kind: store.Put, Key: store.Key{PK: p, SK: fmt.Sprint(i)}, Set: store.Attrs{"i": int64(i)}}
			if i%3 == 0 {
				s.put(t, op.Key, base)
			}
			if i%2 == 0 {
				op.Kind, op.Set = store.Delete, nil
			}
			ops = append(ops, op)
		}
		s.batch(t, ops)
		for _, op := range ops {
			s.expect(t, op.Key, op.Set)
		}
	})
	t.Run("what was written is read at once", func(t *testing.T) {
		k := store.Key{PK: pk(t), SK: "a"}
		for i := range 50 {
			want := store.Attrs{"i": int64(i)}
			s.put(t, k, want)
			s.expect(t, k, want)
			if page := s.query(t, store.Query{PK: k.PK}); page.Count != 1 || !equal(page.Items[0].Attrs, want) {
				t.Fatalf("got %v, want %v", page.Items, want)
			}
		}
	})
}

// batch applies operations until none is undone.
func (s *suite) batch(t *testing.T, ops []store.Op) {
	t.Helper()
	for range 100 {
		undone, err := s.Batch(t.Context(), ops)
		if err != nil {
			t.Fatal(err)
		}
		if len(undone) == 0 {
			return
		}
		left := make([]store.Op, len(undone))
		for i, index := range undone {
			left[i] = ops[index]
		}
		ops = left
	}
	t.Fatal("the batch was never done")
}

// testTokens checks idempotency tokens.
func testTokens(t *testing.T, s *suite) {
	add := func(k store.Key, n int64) []store.Op {
		return []store.Op{{
			Kind: store.Update, Key: k, Add: map[string]int64{"n": n}, Set: store.Attrs{"a": "b", "c": "d"},
			Unset: []string{"u", "v"},
		}}
	}
	with := func(n int64) store.Attrs { return store.Attrs{"n": n, "a": "b", "c": "d"} }
	call := func(t *testing.T, token string, ops []store.Op) error {
		t.Helper()
		return do(t, func() error { return s.Transact(t.Context(), token, ops) })
	}
	t.Run("the same call happens once", func(t *testing.T) {
		k, token := store.Key{PK: pk(t), SK: "a"}, uuid.NewString()
		for range 5 {
			if err := call(t, token, add(k, 1)); err != nil {
				t.Fatal(err)
			}
		}
		s.expect(t, k, with(1))
		if err := call(t, uuid.NewString(), add(k, 1)); err != nil {
			t.Fatal(err)
		}
		s.expect(t, k, with(2))
	})
	t.Run("a condition that held is not asked again", func(t *testing.T) {
		k, token := store.Key{PK: pk(t), SK: "a"}, uuid.NewString()
		ops := []store.Op{
			{Kind: store.Put, Key: k, If: []store.Cond{{Test: store.Absent}}},
			{Kind: store.Put, Key: store.Key{PK: k.PK, SK: "b"}},
		}
		for range 2 {
			if err := call(t, token, ops); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("another call under the same token is refused", func(t *testing.T) {
		k, token := store.Key{PK: pk(t), SK: "a"}, uuid.NewString()
		if err := call(t, token, add(k, 1)); err != nil {
			t.Fatal(err)
		}
		wantLimit(t, call(t, token, add(k, 2)))
		s.expect(t, k, with(1))
	})
	t.Run("a call that failed may be repeated", func(t *testing.T) {
		k, token := store.Key{PK: pk(t), SK: "a"}, uuid.NewString()
		ops := []store.Op{
			{Kind: store.Update, Key: k, Add: map[string]int64{"n": 1}, If: []store.Cond{{Test: store.Exists}}},
		}
		wantFailed(t, call(t, token, ops), store.FailedCondition{})
		s.put(t, k, store.Attrs{"n": int64(math.MaxInt32)})
		if err := call(t, token, ops); err != nil {
			t.Fatal(err)
		}
		s.expect(t, k, store.Attrs{"n": int64(math.MaxInt32 + 1)})
	})
	t.Run("without a token every call counts", func(t *testing.T) {
		k := store.Key{PK: pk(t), SK: "a"}
		for range 2 {
			if err := call(t, "", add(k, 1)); err != nil {
				t.Fatal(err)
			}
		}
		s.expect(t, k, with(2))
	})
}
