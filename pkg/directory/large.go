package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A membership change larger than one transaction is written as chunks first, which nobody looks at. Then ONE transaction makes
// it happen: it writes the open work and names it in the group's item. Each chunk is applied by a transaction of its own that
// removes the chunk: it happens once, whoever tries. The last step removes the work and its name in the group.
//
// Killed before the commit, the chunks expire by TTL; killed after it, whoever comes next goes on with the chunks that are left.

// chunkChanges is the number of changes of a chunk: with the chunk itself, heads of waiting values and their work, its
// transaction stays within the limit.
const chunkChanges = 32

// orphanLife is how long the chunks of a change that never was committed are kept. It is far longer than any roll-forward takes.
const orphanLife = 30 * 24 * time.Hour

// commitLarge commits a change of members as open work.
func (d *Directory) commitLarge(ctx context.Context, ts *store.TenantStore, tx *transaction, op store.Op, changes []change) error {
	w := d.newWork(workMembers, op.SK)
	_, made := op.Set[attrMembers]
	_, grows := op.Add[attrMembers]
	w.counted = made || grows
	expires := d.o.Now().Add(orphanLife).Unix()
	var chunks []store.Op
	for len(changes) > 0 {
		n := chunkSize(changes)
		chunks = append(chunks, put(ts.Chunk(w.id, changes[0].value), store.Attrs{
			"changes": encodeChanges(changes[:n]), attrAt: changes[0].at, store.AttrTTL: expires,
		}))
		changes = changes[n:]
	}
	if err := ts.Batch(ctx, chunks...); err != nil {
		return err
	}
	op.Set[attrOpen] = w.id
	var all transaction
	all.must(op, ErrStale)
	all.join(tx)
	all.add(w.put(ts.Keys))
	if err := all.commit(ctx, ts); err != nil {
		var refused *scim.Error
		if errors.Is(err, ErrStale) || errors.As(err, &refused) { // else it may have happened
			d.discard(ctx, ts, chunks)
		}
		return err
	}
	d.finish(ctx, ts, w)
	return nil
}

// discard removes the chunks of a change that was refused. Where that fails they expire.
func (d *Directory) discard(ctx context.Context, ts *store.TenantStore, chunks []store.Op) {
	ops := make([]store.Op, len(chunks))
	for i, c := range chunks {
		ops[i] = remove(c.Key)
	}
	if err := ts.Batch(ctx, ops...); err != nil {
		d.o.Log.Warn("chunks of a refused change are left to expire", "tenant", ts.TenantID(), "error", err)
	}
}

// chunkSize returns how many of the changes fit a chunk: waiting members take up to two operations more, and one for their work.
func chunkSize(changes []change) int {
	ops, n := 2, 0
	for _, c := range changes {
		switch {
		case c.add:
			ops += opsPerChange
		default:
			ops += 2
		}
		if ops > store.MaxTransactOps || n == chunkChanges {
			break
		}
		n++
	}
	return n
}

func encodeChanges(changes []change) string {
	list := make([]any, len(changes))
	for i, c := range changes {
		list[i] = scim.Object{"add": c.add, "value": c.value, "type": c.typ, "display": c.display}
	}
	return string(scim.AppendJSON(nil, scim.Object{"changes": list}))
}

func decodeChunk(it store.Item) ([]change, error) {
	body, _ := it.Attrs["changes"].(string)
	doc, err := scim.ParseObject(body)
	if err != nil {
		return nil, fmt.Errorf("directory: broken chunk: %w", errInternal(err))
	}
	list, _ := doc["changes"].([]any)
	at, _ := it.Attrs[attrAt].(int64)
	changes := make([]change, 0, len(list))
	for _, v := range list {
		o, _ := v.(scim.Object)
		add, _ := o["add"].(bool)
		changes = append(changes, change{add: add, member: member{
			value: text(o, "value"), typ: text(o, "type"), display: text(o, "display"), at: at,
		}})
	}
	return changes, nil
}

// rollMembers applies what is left of a large change of members, and closes it.
func (d *Directory) rollMembers(ctx context.Context, ts *store.TenantStore, w work, budget *allowance) error {
	prefix := ts.ChunkPrefix(w.id)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(stepsAtOnce)
	var mu sync.Mutex
	var resolve []work
	short := false
	for it, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: 100}) {
		if err != nil {
			_ = g.Wait()
			return err
		}
		changes, err := decodeChunk(it)
		if err != nil {
			_ = g.Wait()
			return err
		}
		if short = spend(budget, len(changes)) != nil; short {
			break
		}
		g.Go(func() error {
			again, err := d.applyChunk(gctx, ts, w, it.Key, changes)
			mu.Lock()
			defer mu.Unlock()
			resolve = append(resolve, again...)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if !short {
		if err := d.closeMembers(ctx, ts, w); err != nil {
			return err
		}
	}
	if err := d.rollResolve(ctx, ts, budget, resolve...); err != nil {
		return err
	}
	if short {
		return errLater
	}
	return nil
}

// closeMembers ends a large change that has no chunks left.
func (d *Directory) closeMembers(ctx context.Context, ts *store.TenantStore, w work) error {
	err := ts.Transact(ctx, d.closing(ts.Keys, w), store.Op{
		Kind: store.Update, Key: ts.Group(w.target), Unset: []string{attrOpen}, If: []store.Cond{equals(attrOpen, w.id)},
	})
	var failed *store.ConditionError
	if !errors.As(err, &failed) {
		return err
	}
	if failed.At(0) {
		return nil
	}
	// The group is not there: its tenant is being deleted.
	return ts.Write(ctx, remove(ts.Work(w.id)))
}

// applyChunk applies one chunk, unless somebody else has. Users that were deleted since the commit are left out, as if they had
// been deleted right after it. It returns the open work that the chunk's waiting members gave rise to.
func (d *Directory) applyChunk(ctx context.Context, ts *store.TenantStore, w work, chunk store.Key, changes []change) ([]work, error) {
	for all := len(changes); ; {
		var tx transaction
		tx.must(when(remove(chunk), exists()...), errGone)
		again := d.newWork(workResolve, w.target)
		checks := map[int]string{} // operation -> the user or group that it checks
		for _, c := range changes {
			d.stage(&tx, ts.Keys, w.target, c, errMissing, false)
			if _, conditional := tx.meaning[len(tx.ops)-1]; conditional {
				checks[len(tx.ops)-1] = c.value
			}
			if folded := scim.Fold(c.value); c.add && c.typ == memberNone && !slices.Contains(again.values, folded) {
				again.values = append(again.values, folded)
				tx.add(d.head(ts.Keys, folded))
			}
		}
		var followUp []work
		if len(again.values) > 0 {
			tx.add(again.put(ts.Keys))
			followUp = []work{again}
		}
		last := len(tx.ops)
		if left := len(changes) - all; left < 0 && w.counted {
			tx.add(store.Op{Kind: store.Update, Key: ts.Group(w.target), Add: map[string]int64{attrMembers: int64(left)}, If: exists()})
		}
		err := ts.Transact(ctx, tx.ops...)
		var failed *store.ConditionError
		if !errors.As(err, &failed) {
			return followUp, err
		}
		if failed.At(0) || failed.At(last) { // else, without the group, its tenant is being deleted
			return nil, nil
		}
		changes = without(changes, failed, checks)
	}
}

// without returns the changes but those that add somebody whose check failed.
func without(changes []change, failed *store.ConditionError, checks map[int]string) []change {
	gone := map[string]bool{}
	for _, f := range failed.Failed {
		gone[checks[f.Index]] = true
	}
	var left []change
	for _, c := range changes {
		if !gone[c.value] {
			left = append(left, c)
		}
	}
	return left
}
