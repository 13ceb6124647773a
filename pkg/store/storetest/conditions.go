package storetest

import (
	"fmt"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// conditionCases says of each condition whether it holds without an item, and on testedItem.
var conditionCases = []struct {
	name            string
	cond            store.Cond
	absent, present bool
}{
	{"exists", store.Cond{Test: store.Exists}, false, true},
	{"absent", store.Cond{Test: store.Absent}, true, false},
	{"string equal", store.Cond{Test: store.Equal, Attr: "s", Value: "m"}, false, true},
	{"string not equal", store.Cond{Test: store.Equal, Attr: "s", Value: "M"}, false, false},
	{"empty string equal", store.Cond{Test: store.Equal, Attr: "e", Value: ""}, false, true},
	{"number equal", store.Cond{Test: store.Equal, Attr: "n", Value: int64(5)}, false, true},
	{"number not equal", store.Cond{Test: store.Equal, Attr: "n", Value: int64(-5)}, false, false},
	{"bytes equal", store.Cond{Test: store.Equal, Attr: "b", Value: []byte{5, 0}}, false, true},
	{"bytes not equal", store.Cond{Test: store.Equal, Attr: "b", Value: []byte{5}}, false, false},
	{"equal in another type", store.Cond{Test: store.Equal, Attr: "n", Value: "5"}, false, false},
	{"equal to missing", store.Cond{Test: store.Equal, Attr: "z", Value: "m"}, false, false},
	{"differs, but is the same", store.Cond{Test: store.NotEqual, Attr: "s", Value: "m"}, true, false},
	{"differs", store.Cond{Test: store.NotEqual, Attr: "s", Value: "x"}, true, true},
	{"differs by type", store.Cond{Test: store.NotEqual, Attr: "s", Value: int64(1)}, true, true},
	{"missing differs", store.Cond{Test: store.NotEqual, Attr: "z", Value: "x"}, true, true},
	{"string less", store.Cond{Test: store.Less, Attr: "s", Value: "mm"}, false, true},
	{"string not less than itself", store.Cond{Test: store.Less, Attr: "s", Value: "m"}, false, false},
	{"string greater", store.Cond{Test: store.Less, Attr: "s", Value: "Z"}, false, false},
	{"number less, by value not by digits", store.Cond{Test: store.Less, Attr: "n", Value: int64(10)}, false, true},
	{"number not less than itself", store.Cond{Test: store.Less, Attr: "n", Value: int64(5)}, false, false},
	{"number greater", store.Cond{Test: store.Less, Attr: "n", Value: int64(-10)}, false, false},
	{"bytes less", store.Cond{Test: store.Less, Attr: "b", Value: []byte{5, 1}}, false, true},
	{"less in another type", store.Cond{Test: store.Less, Attr: "n", Value: "9"}, false, false},
	{"missing is not less", store.Cond{Test: store.Less, Attr: "z", Value: "zz"}, false, false},
	{"attribute absent", store.Cond{Test: store.AttrAbsent, Attr: "z"}, true, true},
	{"attribute absent, but there", store.Cond{Test: store.AttrAbsent, Attr: "s"}, true, false},
}

var testedItem = store.Attrs{"s": "m", "e": "", "n": int64(5), "b": []byte{5, 0}}

var kinds = []struct {
	name string
	kind store.OpKind
}{{"Put", store.Put}, {"Update", store.Update}, {"Delete", store.Delete}, {"Check", store.Check}}

// testConditions runs every condition with every kind of operation, alone and in a transaction of two, on an item and
// on none.
func testConditions(t *testing.T, s *suite) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			for i, c := range conditionCases {
				t.Run(c.name, func(t *testing.T) {
					for _, present := range []bool{false, true} {
						k := store.Key{PK: pk(t), SK: fmt.Sprintf("%d %t", i, present)}
						s.testCondition(t, k, tested{
							kind: kind.kind, cond: c.cond, present: present,
							holds: present && c.present || !present && c.absent,
						})
					}
				})
			}
		})
	}
	t.Run("all must hold", func(t *testing.T) {
		k := store.Key{PK: pk(t), SK: "a"}
		s.put(t, k, testedItem)
		op := store.Op{Kind: store.Delete, Key: k, If: []store.Cond{
			{Test: store.Exists},
			{Test: store.Equal, Attr: "s", Value: "m"},
			{Test: store.Equal, Attr: "n", Value: int64(6)},
		}}
		wantFailed(t, s.plain(t, op), store.FailedCondition{Attrs: testedItem})
		op.If[2].Value = int64(5)
		if err := s.plain(t, op); err != nil {
			t.Error(err)
		}
		s.expect(t, k, nil)
	})
}

// tested is one operation with one condition, on an item that is present or not, and whether the condition holds.
type tested struct {
	kind           store.OpKind
	cond           store.Cond
	present, holds bool
}

// testCondition runs an operation alone and in company.
func (s *suite) testCondition(t *testing.T, k store.Key, c tested) {
	t.Helper()
	other := store.Op{Kind: store.Put, Key: store.Key{PK: k.PK, SK: k.SK + " other"}, Set: store.Attrs{"o": int64(1)}}
	for _, company := range []bool{false, true} {
		var before store.Attrs
		if c.present {
			s.put(t, k, testedItem)
			before = testedItem
		} else if err := s.plain(t, store.Op{Kind: store.Delete, Key: k}); err != nil {
			t.Fatal(err)
		}
		op := store.Op{Kind: c.kind, Key: k, If: []store.Cond{c.cond}}
		if c.kind == store.Put || c.kind == store.Update {
			op.Set = store.Attrs{"new": "v"}
		}
		var err error
		if company {
			err = s.transact(t, other, op)
		} else {
			err = s.plain(t, op)
		}
		if !c.holds {
			failed := store.FailedCondition{Attrs: before}
			if company {
				failed.Index = 1
				s.expect(t, other.Key, nil)
			}
			wantFailed(t, err, failed)
			s.expect(t, k, before)
			continue
		}
		if err != nil {
			t.Fatalf("present %t, company %t: %v", c.present, company, err)
		}
		if company {
			s.expect(t, other.Key, other.Set)
		}
		s.expect(t, k, after(c.kind, before))
	}
}

// after is an item after an operation of testCondition.
func after(kind store.OpKind, before store.Attrs) store.Attrs {
	switch kind {
	case store.Put:
		return store.Attrs{"new": "v"}
	case store.Update:
		attrs := store.Attrs{"new": "v"}
		for name, v := range before {
			attrs[name] = v
		}
		return attrs
	case store.Delete:
		return nil
	}
	return before
}
