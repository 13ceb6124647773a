// Package storetest is the conformance suite of store.Engine: the detailed contract, as tests that every engine
// passes. An engine's own test calls Run and names its exceptions.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Exceptions names an engine's deviations from the contract. Each field holds the reason; an empty one is no
// exception.
type Exceptions struct {
	// OldSizes: the engine does not learn how large the items were that a transaction replaces, changes or deletes, so
	// that one which shrinks an item of more than 1 KiB, or changes part of it, is charged too little.
	OldSizes string
	// AbsentDeletes: the engine charges a batch two units, not one, for the deletion of an item that is not there.
	AbsentDeletes string
}

// Run runs the suite. It opens one engine per group of cases; the engines may share their storage.
func Run(t *testing.T, open func(t *testing.T) store.Engine, exceptions ...Exceptions) {
	var x Exceptions
	if len(exceptions) > 0 {
		x = exceptions[0]
	}
	for _, group := range []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"Conditions", testConditions},
		{"Transactions", testTransactions},
		{"Writes", testWrites},
		{"Tokens", testTokens},
		{"Races", testRaces},
		{"Values", testValues},
		{"Expiry", testExpiry},
		{"Get", testGet},
		{"Order", testOrder},
		{"Ranges", testRanges},
		{"Pages", testPages},
		{"Limits", testLimits},
		{"Cost", testCost},
		{"Context", testContext},
	} {
		t.Run(group.name, func(t *testing.T) { group.run(t, &suite{open(t), x}) })
	}
}

type suite struct {
	store.Engine
	x Exceptions
}

// pk returns a partition of the test's own.
func pk(t *testing.T) string { return "T#" + t.Name() + "#" + uuid.NewString() }

// do makes the call, again while the engine says that nothing was done.
func do(t *testing.T, call func() error) error {
	t.Helper()
	for range 100 {
		err := call()
		if !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrThrottled) {
			return err
		}
	}
	t.Fatal("the engine was busy a hundred times")
	return nil
}

// plain applies one operation as a plain write.
func (s *suite) plain(t *testing.T, op store.Op) error {
	t.Helper()
	return do(t, func() error { return s.Transact(t.Context(), "", []store.Op{op}) })
}

// transact applies operations under a new token.
func (s *suite) transact(t *testing.T, ops ...store.Op) error {
	t.Helper()
	token := uuid.NewString()
	return do(t, func() error { return s.Transact(t.Context(), token, ops) })
}

// put stores an item, which must succeed.
func (s *suite) put(t *testing.T, k store.Key, a store.Attrs) {
	t.Helper()
	if err := s.plain(t, store.Op{Kind: store.Put, Key: k, Set: a}); err != nil {
		t.Fatalf("put %q: %v", k, err)
	}
}

// get reads one item's attributes; nil if there is none.
func (s *suite) get(t *testing.T, k store.Key) store.Attrs {
	t.Helper()
	var items []store.Item
	err := do(t, func() error {
		found, unread, err := s.Get(t.Context(), []store.Key{k})
		if len(unread) > 0 {
			return store.ErrThrottled
		}
		items = found
		return err
	})
	if err != nil {
		t.Fatalf("get %q: %v", k, err)
	}
	if len(items) != 1 || items[0].Key != k {
		t.Fatalf("get %q: %v", k, items)
	}
	return items[0].Attrs
}

// query reads one page, which must succeed.
func (s *suite) query(t *testing.T, q store.Query) store.Page {
	t.Helper()
	var page store.Page
	err := do(t, func() (err error) {
		page, err = s.Query(t.Context(), q)
		return err
	})
	if err != nil {
		t.Fatalf("query %+v: %v", q, err)
	}
	return page
}

// expect compares an item's attributes with want; nil for no item.
func (s *suite) expect(t *testing.T, k store.Key, want store.Attrs) {
	t.Helper()
	if got := s.get(t, k); !equal(got, want) {
		t.Errorf("item %q: got %v, want %v", k, brief(got), brief(want))
	}
}

// equal compares attributes by type and value; no item is not the same as an item without attributes.
func equal(a, b store.Attrs) bool {
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return false
	}
	for name, v := range a {
		w, ok := b[name]
		if !ok {
			return false
		}
		vb, isBytes := v.([]byte)
		wb, areBytes := w.([]byte)
		if isBytes != areBytes || isBytes && !bytes.Equal(vb, wb) || !isBytes && v != w {
			return false
		}
	}
	return true
}

// brief makes attributes fit for an error message.
func brief(a store.Attrs) string {
	if a == nil {
		return "no item"
	}
	s := fmt.Sprintf("%#v", a)
	if len(s) > 300 {
		s = s[:300] + "..."
	}
	return s
}

// wantFailed checks that err is a *ConditionError about exactly the operations of want, with the items as they were.
func wantFailed(t *testing.T, err error, want ...store.FailedCondition) {
	t.Helper()
	var failed *store.ConditionError
	if !errors.As(err, &failed) {
		t.Fatalf("got error %v, want a *ConditionError", err)
	}
	if len(failed.Failed) != len(want) {
		t.Fatalf("got %d failed conditions, want %d", len(failed.Failed), len(want))
	}
	for i, w := range want {
		got := failed.Failed[i]
		if got.Index != w.Index || !equal(got.Attrs, w.Attrs) {
			t.Errorf("failed condition %d: got operation %d on %s, want operation %d on %s", i,
				got.Index, brief(got.Attrs), w.Index, brief(w.Attrs))
		}
	}
}

// wantLimit checks that err is a *LimitError.
func wantLimit(t *testing.T, err error) {
	t.Helper()
	var limit *store.LimitError
	if !errors.As(err, &limit) {
		t.Errorf("got error %v, want a *LimitError", err)
	}
}

// itemOf returns attributes that make the item at k as many bytes large.
func itemOf(k store.Key, size int) store.Attrs {
	return store.Attrs{"x": bytes.Repeat([]byte{'x'}, size-store.ItemBytes(k, nil)-1)}
}
