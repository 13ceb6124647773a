package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// testLimits checks every limit on both of its sides, and that a call beyond one stores nothing.
func testLimits(t *testing.T, s *suite) {
	t.Run("item", s.testItemLimit)
	t.Run("transaction", s.testTransactionLimits)
	t.Run("keys", s.testKeyLimits)
	t.Run("batch", s.testBatchLimits)
	t.Run("get", s.testGetLimits)
	t.Run("query", s.testQueryLimits)
	t.Run("malformed operations", s.testMalformed)
}

// testItemLimit checks the size of an item to the byte: text, bytes and numbers, written whole or by parts.
func (s *suite) testItemLimit(t *testing.T) {
	attrsOf := func(k store.Key, size int) store.Attrs {
		a := store.Attrs{"é": "漢", "b": []byte{1}, "n": int64(-1234500), "m": int64(0), "x": ""}
		a["x"] = strings.Repeat("x", size-store.ItemBytes(k, a))
		return a
	}
	k := store.Key{PK: pk(t), SK: "é"}
	whole, tooLarge := attrsOf(k, store.MaxItemBytes), attrsOf(k, store.MaxItemBytes+1)
	for _, kind := range []store.OpKind{store.Put, store.Update} {
		wantLimit(t, s.plain(t, store.Op{Kind: kind, Key: k, Set: tooLarge}))
		wantLimit(t, s.transact(t, store.Op{Kind: kind, Key: k, Set: tooLarge}))
		s.expect(t, k, nil)
		if err := s.plain(t, store.Op{Kind: kind, Key: k, Set: whole}); err != nil {
			t.Fatal(err)
		}
		s.expect(t, k, whole)
		if err := s.transact(t, store.Op{Kind: store.Delete, Key: k}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Batch(t.Context(), []store.Op{{Kind: store.Put, Key: k, Set: tooLarge}})
	wantLimit(t, err)
	s.expect(t, k, nil)

	s.put(t, k, attrsOf(k, store.MaxItemBytes-10))
	grow := store.Op{Kind: store.Update, Key: k, Set: store.Attrs{"y": "123456789"}}
	if err := s.plain(t, grow); err != nil {
		t.Errorf("an update up to the limit: %v", err)
	}
	before := s.get(t, k)
	grow.Set["y"] = "1234567890"
	wantLimit(t, s.plain(t, grow))
	other := store.Key{PK: k.PK, SK: "other"}
	wantLimit(t, s.transact(t, store.Op{Kind: store.Put, Key: other}, grow))
	s.expect(t, k, before)
	s.expect(t, other, nil)
}

func (s *suite) testTransactionLimits(t *testing.T) {
	p := pk(t)
	puts := func(n int) []store.Op {
		ops := make([]store.Op, n)
		for i := range ops {
			ops[i] = store.Op{Kind: store.Put, Key: store.Key{PK: p, SK: fmt.Sprintf("%03d", i)}}
		}
		return ops
	}
	count := func(want int) {
		t.Helper()
		if page := s.query(t, store.Query{PK: p, Select: store.CountOnly}); page.Count != want {
			t.Fatalf("%d items, want %d", page.Count, want)
		}
	}
	wantLimit(t, s.transact(t))
	wantLimit(t, s.transact(t, puts(store.MaxTransactOps+1)...))
	count(0)
	if err := s.transact(t, puts(store.MaxTransactOps)...); err != nil {
		t.Fatal(err)
	}
	count(store.MaxTransactOps)

	p = pk(t)
	large := puts(11)
	left := store.MaxTransactBytes
	for i := range large {
		size := left / (len(large) - i)
		large[i].Set = itemOf(large[i].Key, size)
		left -= size
	}
	last := &large[len(large)-1]
	fits := last.Set
	last.Set = itemOf(last.Key, store.ItemBytes(last.Key, fits)+1)
	wantLimit(t, s.transact(t, large...))
	count(0)
	last.Set = fits
	if err := s.transact(t, large...); err != nil {
		t.Fatal(err)
	}
	page := s.query(t, store.Query{PK: p, Prefix: "01", Select: store.CountOnly})
	if page.Count != 1 {
		t.Errorf("%d items, want 1", page.Count)
	}
	wantLimit(t, s.Transact(t.Context(), strings.Repeat("t", store.MaxTokenBytes+1), puts(1)))
	wantLimit(t, s.transact(t, store.Op{Kind: store.Put, Key: store.Key{PK: p, SK: "a"}},
		store.Op{Kind: store.Delete, Key: store.Key{PK: p, SK: "a"}}))
	wantLimit(t, s.transact(
		t,
		store.Op{Kind: store.Put, Key: store.Key{PK: p, SK: "a"}},
		store.Op{Kind: store.Check, Key: store.Key{PK: p, SK: "a"}, If: []store.Cond{{Test: store.Absent}}},
	))
	s.expect(t, store.Key{PK: p, SK: "a"}, nil)
}

func (s *suite) testKeyLimits(t *testing.T) {
	base := pk(t)
	longPK := base + strings.Repeat("p", store.MaxPKBytes-len(base))
	longSK := "é" + strings.Repeat("s", store.MaxSKBytes-2)
	longest := store.Key{PK: longPK, SK: longSK}
	s.put(t, longest, store.Attrs{"a": "b"})
	s.expect(t, longest, store.Attrs{"a": "b"})
	if page := s.query(t, store.Query{PK: longPK, From: longSK, To: longSK}); page.Count != 1 ||
		page.Items[0].Key != longest {
		t.Errorf("got %v", page)
	}
	if page := s.query(t, store.Query{PK: longPK, Prefix: longSK}); page.Count != 1 {
		t.Errorf("got %v", page)
	}
	if page := s.query(t, store.Query{PK: longPK, After: longSK}); page.Count != 0 {
		t.Errorf("got %v", page)
	}
	for name, k := range map[string]store.Key{
		"partition key too long":  {PK: longPK + "p", SK: "a"},
		"sort key too long":       {PK: base, SK: longSK + "s"},
		"partition key empty":     {PK: "", SK: "a"},
		"sort key empty":          {PK: base, SK: ""},
		"partition key not UTF-8": {PK: base + "\xff", SK: "a"},
		"sort key not UTF-8":      {PK: base, SK: "a\xc3"},
	} {
		t.Run(name, func(t *testing.T) {
			wantLimit(t, s.plain(t, store.Op{Kind: store.Put, Key: k}))
			wantLimit(t, s.transact(t, store.Op{Kind: store.Delete, Key: k},
				store.Op{Kind: store.Put, Key: store.Key{PK: base, SK: "b"}}))
			_, err := s.Batch(t.Context(), []store.Op{{Kind: store.Put, Key: k}})
			wantLimit(t, err)
			_, _, err = s.Get(t.Context(), []store.Key{k})
			wantLimit(t, err)
		})
	}
	if page := s.query(t, store.Query{PK: base}); page.Count != 0 {
		t.Errorf("%d items were stored", page.Count)
	}
}

func (s *suite) testBatchLimits(t *testing.T) {
	p := pk(t)
	ops := make([]store.Op, store.MaxBatchOps+1)
	for i := range ops {
		ops[i] = store.Op{Kind: store.Put, Key: store.Key{PK: p, SK: fmt.Sprint(i)}}
	}
	a := store.Key{PK: p, SK: "0"}
	for name, ops := range map[string][]store.Op{
		"none":         nil,
		"too many":     ops,
		"a key twice":  {ops[0], ops[1], {Kind: store.Delete, Key: a}},
		"an update":    {{Kind: store.Update, Key: a, Set: store.Attrs{"a": "b"}}},
		"a check":      {{Kind: store.Check, Key: a, If: []store.Cond{{Test: store.Absent}}}},
		"a condition":  {{Kind: store.Put, Key: a, If: []store.Cond{{Test: store.Absent}}}},
		"what no item": {{Kind: store.Put, Key: a, Set: store.Attrs{"a": true}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Batch(t.Context(), ops)
			wantLimit(t, err)
			s.expect(t, a, nil)
		})
	}
	s.batch(t, ops[:store.MaxBatchOps])
	s.expect(t, ops[store.MaxBatchOps-1].Key, store.Attrs{})
}

func (s *suite) testGetLimits(t *testing.T) {
	p := pk(t)
	keys := make([]store.Key, store.MaxGetKeys+1)
	for i := range keys {
		keys[i] = store.Key{PK: p, SK: fmt.Sprint(i)}
	}
	s.getAll(t, keys[:store.MaxGetKeys])
	for _, refused := range [][]store.Key{nil, keys, {keys[0], keys[1], keys[0]}} {
		_, _, err := s.Get(t.Context(), refused)
		wantLimit(t, err)
	}
}

func (s *suite) testQueryLimits(t *testing.T) {
	p := pk(t)
	for name, q := range map[string]store.Query{
		"no partition":            {},
		"partition key too long":  {PK: p + strings.Repeat("p", store.MaxPKBytes)},
		"bound too long":          {PK: p, From: strings.Repeat("s", store.MaxSKBytes+1)},
		"prefix too long":         {PK: p, Prefix: strings.Repeat("s", store.MaxSKBytes+1)},
		"bound not UTF-8":         {PK: p, To: "\xff"},
		"negative limit":          {PK: p, Limit: -1},
		"upside down":             {PK: p, From: "b", To: "a"},
		"after before the range":  {PK: p, From: "b", To: "d", After: "a"},
		"after behind the range":  {PK: p, From: "b", To: "d", After: "e"},
		"after outside of prefix": {PK: p, Prefix: "b", After: "c"},
		"unknown selection":       {PK: p, Select: store.Texts + 1},
		"texts without names":     {PK: p, Select: store.Texts},
		"names without texts":     {PK: p, Texts: []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Query(t.Context(), q)
			wantLimit(t, err)
		})
	}
}

// testMalformed checks that operations which mean nothing are refused.
func (s *suite) testMalformed(t *testing.T) {
	good := store.Key{PK: pk(t), SK: "good"}
	for name, op := range map[string]store.Op{
		"no kind":          {},
		"unknown kind":     {Kind: store.Check + 1},
		"put that adds":    {Kind: store.Put, Add: map[string]int64{"a": 1}},
		"put that unsets":  {Kind: store.Put, Unset: []string{"a"}},
		"delete that sets": {Kind: store.Delete, Set: store.Attrs{"a": "b"}},
		"check that sets": {
			Kind: store.Check, Set: store.Attrs{"a": "b"}, If: []store.Cond{{Test: store.Exists}},
		},
		"check without a condition": {Kind: store.Check},
		"set and add": {
			Kind: store.Update, Set: store.Attrs{"a": int64(1)}, Add: map[string]int64{"a": 1},
		},
		"set and unset":             {Kind: store.Update, Set: store.Attrs{"a": int64(1)}, Unset: []string{"a"}},
		"add and unset":             {Kind: store.Update, Add: map[string]int64{"a": 1}, Unset: []string{"a"}},
		"unset twice":               {Kind: store.Update, Unset: []string{"a", "a"}},
		"empty name":                {Kind: store.Put, Set: store.Attrs{"": "b"}},
		"long name":                 {Kind: store.Put, Set: store.Attrs{strings.Repeat("n", 256): "b"}},
		"name not UTF-8":            {Kind: store.Put, Set: store.Attrs{"\xff": "b"}},
		"name of the partition key": {Kind: store.Put, Set: store.Attrs{store.AttrPK: "b"}},
		"name of the sort key":      {Kind: store.Update, Add: map[string]int64{store.AttrSK: 1}},
		"value not UTF-8":           {Kind: store.Put, Set: store.Attrs{"a": "\xff"}},
		"nil":                       {Kind: store.Put, Set: store.Attrs{"a": nil}},
		"int":                       {Kind: store.Put, Set: store.Attrs{"a": 1}},
		"float":                     {Kind: store.Put, Set: store.Attrs{"a": 1.5}},
		"map":                       {Kind: store.Put, Set: store.Attrs{"a": map[string]any{}}},
		"unknown test":              {Kind: store.Put, If: []store.Cond{{Test: store.AttrAbsent + 1, Attr: "a"}}},
		"no test":                   {Kind: store.Put, If: []store.Cond{{Attr: "a"}}},
		"condition on no attribute": {Kind: store.Put, If: []store.Cond{{Test: store.AttrAbsent}}},
		"condition without value":   {Kind: store.Put, If: []store.Cond{{Test: store.Equal, Attr: "a"}}},
		"condition of another type": {Kind: store.Put, If: []store.Cond{{Test: store.Less, Attr: "a", Value: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			op.Key = store.Key{PK: good.PK, SK: "bad"}
			wantLimit(t, s.plain(t, op))
			wantLimit(t, s.transact(t, store.Op{Kind: store.Put, Key: good}, op))
			s.expect(t, op.Key, nil)
			s.expect(t, good, nil)
		})
	}
}
