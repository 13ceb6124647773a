package boltstore

import (
	"bytes"
	"cmp"
	"errors"
	"maps"
	"math"

	"go.etcd.io/bbolt"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// errNothing ends a write in which no job had anything to write, so that nothing goes to disk.
var errNothing = errors.New("boltstore: nothing to write")

// change is what an operation does to the file.
type change struct {
	key      []byte
	old, new []byte // encoded items; nil where there is none
	write    bool
}

// apply judges a job on the items as the jobs before it left them, and carries it out if everything in it holds. What is wrong
// with the job goes to j.err; the error returned is one of the file. It reports whether the job took place.
func (e *Engine) apply(b *bbolt.Bucket, j *job) (bool, error) {
	if j.token != "" {
		switch seen, same := e.tokens.seen(j.token, j.payload, e.now()); {
		case seen && same:
			j.cost.ReadUnits = replayUnits(b, j.ops)
			return false, nil
		case seen:
			j.err = &store.LimitError{Reason: "the idempotency token was used with other operations"}
			return false, nil
		}
	}
	changes := make([]change, len(j.ops))
	var failed []store.FailedCondition
	for i := range j.ops {
		op := &j.ops[i]
		key := encodeKey(op.PK, op.SK)
		old := b.Get(key)
		changes[i] = change{key: key, old: old, new: old}
		holds, attrs, err := judge(op.If, old)
		if err != nil {
			return false, err
		}
		if !holds {
			failed = append(failed, store.FailedCondition{Index: i, Attrs: attrs})
		}
	}
	if len(failed) > 0 {
		j.err = &store.ConditionError{Failed: failed}
		j.cost.WriteUnits = failedUnits(j, changes)
		return false, nil
	}
	for i := range j.ops {
		if err := result(&changes[i], &j.ops[i], j.puts[i]); err != nil {
			var limit *store.LimitError
			if j.err = err; !errors.As(err, &limit) {
				return false, err
			}
			return false, nil
		}
	}
	for _, c := range changes {
		j.cost.WriteUnits += store.WriteUnits(max(itemSize(c.old), itemSize(c.new)))
	}
	return true, carryOut(b, changes)
}

// replayUnits is what it costs to find that a transaction has happened already: DynamoDB reads its items.
func replayUnits(b *bbolt.Bucket, ops []store.Op) (units float64) {
	for _, op := range ops {
		units += store.ReadUnits(itemSize(b.Get(encodeKey(op.PK, op.SK))))
	}
	return units
}

// failedUnits is what a job costs of which a condition did not hold: as much as if it had been carried out.
func failedUnits(j *job, changes []change) (units float64) {
	for i, c := range changes {
		units += store.WriteUnits(max(itemSize(c.old), itemSize(j.puts[i])))
	}
	return units
}

// result works out what an operation makes of an item.
func result(c *change, op *store.Op, put []byte) error {
	switch op.Kind {
	case store.Put:
		c.new, c.write = put, true
	case store.Delete:
		c.new, c.write = nil, c.old != nil
	case store.Update:
		attrs, err := decodeItem(c.old)
		if err != nil {
			return err
		}
		if attrs, err = update(attrs, op); err != nil {
			return err
		}
		if err := store.ValidateSize(op.Key, attrs); err != nil {
			return err
		}
		c.new, c.write = encodeItem(op.Key, attrs), true
	}
	return nil
}

// update applies an Update to the attributes of an item, nil where there is none.
func update(attrs store.Attrs, op *store.Op) (store.Attrs, error) {
	if attrs == nil {
		attrs = make(store.Attrs, len(op.Set)+len(op.Add))
	}
	maps.Copy(attrs, op.Set)
	for name, n := range op.Add {
		old, isNumber := attrs[name].(int64)
		if _, there := attrs[name]; there && !isNumber {
			return nil, &store.LimitError{Reason: "an Add to an attribute that is not a number"}
		}
		if n > 0 && old > math.MaxInt64-n || n < 0 && old < math.MinInt64-n {
			return nil, &store.LimitError{Reason: "an Add beyond the range of a number"}
		}
		attrs[name] = old + n
	}
	for _, name := range op.Unset {
		delete(attrs, name)
	}
	return attrs, nil
}

func carryOut(b *bbolt.Bucket, changes []change) error {
	for _, c := range changes {
		var err error
		switch {
		case !c.write:
		case c.new == nil:
			err = b.Delete(c.key)
		default:
			err = b.Put(c.key, c.new)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// judge tests conditions on an encoded item. It returns the item's attributes where they don't hold.
func judge(conditions []store.Cond, raw []byte) (holds bool, attrs store.Attrs, err error) {
	if len(conditions) == 0 {
		return true, nil, nil
	}
	if attrs, err = decodeItem(raw); err != nil {
		return false, nil, err
	}
	for _, c := range conditions {
		if !test(c, attrs) {
			return false, attrs, nil
		}
	}
	return true, nil, nil
}

// test tests one condition on the attributes of an item, nil where there is none.
func test(c store.Cond, attrs store.Attrs) bool {
	switch c.Test {
	case store.Exists:
		return attrs != nil
	case store.Absent:
		return attrs == nil
	}
	v, there := attrs[c.Attr]
	switch c.Test {
	case store.Equal:
		order, same := compare(v, c.Value)
		return there && same && order == 0
	case store.NotEqual:
		order, same := compare(v, c.Value)
		return !there || !same || order != 0
	case store.Less:
		order, same := compare(v, c.Value)
		return there && same && order < 0
	case store.AttrAbsent:
		return !there
	}
	return false
}

// compare orders two values of the same type; same is false where the types differ.
func compare(a, b any) (order int, same bool) {
	switch b := b.(type) {
	case string:
		a, ok := a.(string)
		return cmp.Compare(a, b), ok
	case int64:
		a, ok := a.(int64)
		return cmp.Compare(a, b), ok
	case []byte:
		a, ok := a.([]byte)
		return bytes.Compare(a, b), ok
	}
	return 0, false
}
