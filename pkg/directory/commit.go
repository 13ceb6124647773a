package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// transaction collects the operations of one write, and what each operation's failed condition means.
type transaction struct {
	ops     []store.Op
	meaning map[int]error
}

// add appends an operation without a condition.
func (tx *transaction) add(ops ...store.Op) { tx.ops = append(tx.ops, ops...) }

// must appends an operation; if its condition does not hold, the transaction fails with failed.
func (tx *transaction) must(op store.Op, failed error) {
	if tx.meaning == nil {
		tx.meaning = map[int]error{}
	}
	tx.meaning[len(tx.ops)] = failed
	tx.ops = append(tx.ops, op)
}

// commit writes the transaction. Where conditions did not hold, ErrStale wins over all other meanings: what the others were
// concluded from has to be read again first.
func (tx *transaction) commit(ctx context.Context, ts *store.TenantStore) error {
	err := ts.Transact(ctx, tx.ops...)
	var limit *store.LimitError
	if errors.As(err, &limit) {
		return tx.tooLarge()
	}
	var failed *store.ConditionError
	if !errors.As(err, &failed) {
		return err
	}
	var first error
	for _, f := range failed.Failed {
		meaning, ok := tx.meaning[f.Index]
		switch {
		case !ok:
			return fmt.Errorf("directory: unexpected condition at operation %d: %w", f.Index, err)
		case errors.Is(meaning, ErrStale):
			return ErrStale
		case first == nil:
			first = meaning
		}
	}
	return first
}

// tooLarge is the answer where an item or a key is over the engine's limits. What a client sends is bounded but in two things: the
// size of the whole, and the control characters that keys escape.
func (tx *transaction) tooLarge() error {
	for _, op := range tx.ops {
		if len(op.SK) > store.MaxSKBytes {
			return scim.BadRequest(scim.InvalidValue, "A value is too long to be searched for: control characters count twice.")
		}
	}
	return scim.BadRequest(scim.InvalidValue, "The resource is too large: all its attributes together may take about %d KB.", store.MaxItemBytes>>10)
}

func exists() []store.Cond   { return []store.Cond{{Test: store.Exists}} }
func isAbsent() []store.Cond { return []store.Cond{{Test: store.Absent}} }

func equals(attr string, value any) store.Cond {
	return store.Cond{Test: store.Equal, Attr: attr, Value: value}
}

func put(k store.Key, attrs store.Attrs) store.Op {
	set := store.Attrs{store.AttrSchema: store.SchemaVersion}
	for name, v := range attrs {
		set[name] = v
	}
	return store.Op{Kind: store.Put, Key: k, Set: set}
}

func remove(k store.Key) store.Op { return store.Op{Kind: store.Delete, Key: k} }

func when(op store.Op, conds ...store.Cond) store.Op {
	op.If = append(op.If, conds...)
	return op
}

// taken is the answer to a write that would use a unique value a second time.
func taken(what, attribute, value string) error {
	return scim.Errorf(409, scim.Uniqueness,
		"Another %s already has the %s %q. Find it with a filter on %s and update it instead.", what, attribute, short(value), attribute)
}
