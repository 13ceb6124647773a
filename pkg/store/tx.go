package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// ErrStale says that a write is based on something that has changed since it was read: read again, try again.
var ErrStale = errors.New("store: changed since it was read")

// Tx collects the operations of one transaction of a tenant. Each conditional operation has a meaning: the error of the
// transaction if its condition does not hold. The zero value is an empty transaction.
type Tx struct {
	ops     []Op
	meaning []error // by operation; nil if it has no condition that may fail
}

// usualOps is room for the operations of a usual write.
const usualOps = 10

// begin makes room for the first operation.
func (tx *Tx) begin() {
	if tx.ops == nil {
		tx.ops, tx.meaning = make([]Op, 0, usualOps), make([]error, 0, usualOps)
	}
}

// Add appends operations whose conditions, if they have any, always hold.
func (tx *Tx) Add(ops ...Op) {
	tx.begin()
	tx.ops = append(tx.ops, ops...)
	tx.meaning = append(tx.meaning, make([]error, len(ops))...)
}

// Must appends an operation. If its condition does not hold, the transaction fails with failed.
func (tx *Tx) Must(op Op, failed error) {
	tx.begin()
	tx.ops = append(tx.ops, op)
	tx.meaning = append(tx.meaning, failed)
}

// Join appends the operations of another transaction with their meanings.
func (tx *Tx) Join(other *Tx) {
	tx.ops = append(tx.ops, other.ops...)
	tx.meaning = append(tx.meaning, other.meaning...)
}

// Len is the number of operations.
func (tx *Tx) Len() int { return len(tx.ops) }

// Room is the number of operations that the transaction can still take.
func (tx *Tx) Room() int { return MaxTransactOps - len(tx.ops) }

// Ops are the operations. The slice must not be changed.
func (tx *Tx) Ops() []Op { return tx.ops }

// Commit writes the transaction of a tenant, all or nothing; an empty one writes nothing. If conditions do not
// hold, the error is ErrStale if that is the meaning of any of them, since the data that the others were concluded
// from has to be read again first; else it is the meaning of the first, or a *FailedError if several have one and
// they differ.
func (tx *Tx) Commit(ctx context.Context, ts *TenantStore) error {
	err := ts.Transact(ctx, tx.ops...)
	var conditions *ConditionError
	if !errors.As(err, &conditions) {
		return err
	}
	failed := &FailedError{}
	for _, f := range conditions.Failed {
		meaning := tx.meaning[f.Index]
		if meaning == nil {
			return fmt.Errorf("store: a condition without a meaning does not hold, at operation %d: %w", f.Index, err)
		}
		if errors.Is(meaning, ErrStale) {
			return ErrStale
		}
		failed.Meanings = append(failed.Meanings, meaning)
	}
	if len(failed.Meanings) == 1 {
		return failed.Meanings[0]
	}
	return failed
}

// FailedError is the error of a transaction in which several conditions did not hold. errors.Is and errors.As find
// each of their meanings.
type FailedError struct{ Meanings []error }

func (e *FailedError) Error() string {
	return fmt.Sprintf("%d conditions did not hold, the first: %v", len(e.Meanings), e.Meanings[0])
}

// Unwrap makes errors.Is and errors.As find every meaning, the first one first.
func (e *FailedError) Unwrap() []error { return e.Meanings }

// PutItem is the operation that stores an item whole, with the version of the layout. Attributes that have it already
// are used as they are, others are copied.
func PutItem(k Key, attrs Attrs) Op {
	if attrs[AttrSchema] == SchemaVersion {
		return Op{Kind: Put, Key: k, Set: attrs}
	}
	set := make(Attrs, len(attrs)+1)
	set[AttrSchema] = SchemaVersion
	for name, v := range attrs {
		set[name] = v
	}
	return Op{Kind: Put, Key: k, Set: set}
}

// RemoveItem is the operation that removes an item.
func RemoveItem(k Key) Op { return Op{Kind: Delete, Key: k} }

// CheckItem is the operation that changes nothing and asks for conditions.
func CheckItem(k Key, conds ...Cond) Op { return Op{Kind: Check, Key: k, If: conds} }

// When returns the operation with more conditions.
func (op Op) When(conds ...Cond) Op {
	op.If = append(op.If[:len(op.If):len(op.If)], conds...)
	return op
}

// IsThere and IsAbsent are conditions on an item as a whole.
func IsThere() Cond { return Cond{Test: Exists} }

// IsAbsent holds if there is no item.
func IsAbsent() Cond { return Cond{Test: Absent} }

// Is holds if an attribute has a value.
func Is(attr string, value any) Cond { return Cond{Test: Equal, Attr: attr, Value: value} }

// IsNot holds if an attribute is missing or has another value.
func IsNot(attr string, value any) Cond { return Cond{Test: NotEqual, Attr: attr, Value: value} }

// Lacks holds if the item, if any, has no such attribute.
func Lacks(attr string) Cond { return Cond{Test: AttrAbsent, Attr: attr} }

// Retry runs attempt until it returns anything but ErrStale, with growing jittered pauses, for at most limit or until
// ctx ends. Then it returns ErrStale.
func Retry(ctx context.Context, limit time.Duration, attempt func() error) error {
	err := attempt()
	if !errors.Is(err, ErrStale) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for bound := 2 * time.Millisecond; pause(ctx, rand.N(bound)+time.Millisecond); bound = min(
		2*bound, 250*time.Millisecond) {
		if err = attempt(); !errors.Is(err, ErrStale) {
			return err
		}
	}
	return err
}

// Bytes is the size of the items that the transaction writes, as the engine measures them.
func (tx *Tx) Bytes() int {
	n := 0
	for _, op := range tx.ops {
		n += ItemBytes(op.Key, op.Set)
	}
	return n
}
