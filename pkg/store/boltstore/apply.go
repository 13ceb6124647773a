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

// change is the effect of an operation on the file.
type change struct {
	old, new []byte // encoded items; nil if there is none
	write    bool
}

// group is a number of jobs on their way into the file together.
type group struct {
	e       *Engine
	items   *bbolt.Bucket
	expiry  *bbolt.Bucket
	cursor  *bbolt.Cursor // of items; good for look-ups between writes, too
	changes []change      // of one job
}

func newGroup(e *Engine, tx *bbolt.Tx) *group {
	items := tx.Bucket(itemsBucket)
	return &group{e: e, items: items, expiry: tx.Bucket(expiryBucket), cursor: items.Cursor()}
}

// get returns the encoded item at a key of the file; nil if there is none.
func (g *group) get(key []byte) []byte { return seek(g.cursor, key) }

// seek returns the value at a key; nil if there is none. Many look-ups with one cursor cost less than one bucket's Get
// each.
func seek(c *bbolt.Cursor, key []byte) []byte {
	if k, v := c.Seek(key); bytes.Equal(k, key) {
		return v
	}
	return nil
}

// apply checks the conditions of a job on the items as the jobs before it left them, and carries it out if all are
// true. A fault of the job is stored in j.err; the error returned is one of the file. It reports whether the job was
// carried out.
func (g *group) apply(j *job) (bool, error) {
	if j.token != "" {
		switch seen, same := g.e.tokens.seen(j.token, j.payload, g.e.now()); {
		case seen && same:
			j.cost.ReadUnits = g.replayUnits(j)
			return false, nil
		case seen:
			j.err = &store.LimitError{Reason: "the idempotency token was used with other operations"}
			return false, nil
		}
	}
	g.changes = g.changes[:0]
	var failed []store.FailedCondition
	for i := range j.ops {
		old := g.get(j.keys[i])
		g.changes = append(g.changes, change{old: old, new: old})
		holds, err := judge(j.ops[i].If, old)
		if err != nil {
			return false, err
		}
		if !holds {
			attrs, err := decodeItem(old)
			if err != nil {
				return false, err
			}
			failed = append(failed, store.FailedCondition{Index: i, Attrs: attrs})
		}
	}
	if len(failed) > 0 {
		j.err = &store.ConditionError{Failed: failed}
		j.cost.WriteUnits = failedUnits(j, g.changes)
		return false, nil
	}
	for i := range j.ops {
		if err := result(&g.changes[i], &j.ops[i], j.puts[i]); err != nil {
			var limit *store.LimitError
			if j.err = err; !errors.As(err, &limit) {
				return false, err
			}
			return false, nil
		}
	}
	for _, c := range g.changes {
		j.cost.WriteUnits += store.WriteUnits(max(itemSize(c.old), itemSize(c.new)))
	}
	return true, g.carryOut(j)
}

// replayUnits is the cost of finding that a transaction has happened already: DynamoDB reads its items.
func (g *group) replayUnits(j *job) (units float64) {
	for _, key := range j.keys {
		units += store.ReadUnits(itemSize(g.get(key)))
	}
	return units
}

// failedUnits is the cost of a job if one of its conditions did not hold: the same as if it had been carried out.
func failedUnits(j *job, changes []change) (units float64) {
	for i, c := range changes {
		units += store.WriteUnits(max(itemSize(c.old), itemSize(j.puts[i])))
	}
	return units
}

// result sets c.new to the item that an operation results in.
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

// update applies an Update to the attributes of an item, nil if there is none.
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

func (g *group) carryOut(j *job) error {
	for i, c := range g.changes {
		if !c.write {
			continue
		}
		var err error
		switch {
		case c.new == nil:
			err = g.items.Delete(j.keys[i])
		default:
			err = g.items.Put(j.keys[i], c.new)
		}
		if err == nil {
			err = g.index(j.keys[i], c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// judge tests conditions on an encoded item, nil for no item.
func judge(conditions []store.Cond, raw []byte) (holds bool, err error) {
	for _, c := range conditions {
		holds, err := test(c, raw)
		if !holds || err != nil {
			return false, err
		}
	}
	return true, nil
}

// test tests one condition on an encoded item, nil for no item.
func test(c store.Cond, raw []byte) (bool, error) {
	switch c.Test {
	case store.Exists:
		return raw != nil, nil
	case store.Absent:
		return raw == nil, nil
	}
	var v value[[]byte]
	if raw != nil {
		var err error
		if v, err = find(raw, c.Attr); err != nil {
			return false, err
		}
	}
	order, same := compare(v, c.Value)
	switch c.Test {
	case store.Equal:
		return same && order == 0, nil
	case store.NotEqual:
		return !same || order != 0, nil
	case store.Less:
		return same && order < 0, nil
	case store.AttrAbsent:
		return v.kind == 0, nil
	}
	return false, nil
}

// compare orders a stored value and another one; same is false if they differ in type, or nothing is stored.
func compare(v value[[]byte], with any) (order int, same bool) {
	switch with := with.(type) {
	case string:
		switch { // conversions in comparisons copy nothing
		case string(v.text) < with:
			order = -1
		case string(v.text) > with:
			order = 1
		}
		return order, v.kind == typeString
	case int64:
		return cmp.Compare(v.number, with), v.kind == typeNumber
	case []byte:
		return bytes.Compare(v.text, with), v.kind == typeBytes
	}
	return 0, false
}
