package membership

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// A membership change larger than one transaction is written as chunks first, which nobody looks at. Then ONE
// transaction makes it happen: it writes the open work and names it in the group's item. Each chunk is applied by
// a transaction of its own that removes the chunk: it happens once, even if several callers try. The last step
// removes the work and its name in the group.
//
// Killed before the commit, the chunks expire by TTL; killed after it, the next roll-forward goes on with the
// chunks that are left.

// chunkChanges is the number of changes of a chunk. Changes of any kind fit one transaction, beside the chunk itself,
// open work for waiting values and the group's number of members; TestOddMembersInLargeChange fails if they don't.
const chunkChanges = 32

// orphanLife is the life of the chunks of a change that was never committed. It is far longer than any roll-forward
// takes.
const orphanLife = 30 * 24 * time.Hour

// writeLarge adds the operation on a group's item, with its members' changes as open work.
func (s *Service) writeLarge(w *Write, g GroupWrite) {
	g.Exact = true
	open := s.newWork(workMembers, g.ID)
	expires := s.Now().Add(orphanLife).Unix()
	for chunk := range slices.Chunk(g.Changes, chunkChanges) {
		w.chunks = append(w.chunks, store.PutItem(w.ts.Chunk(open.id, chunk[0].Value), store.Attrs{
			"changes": encodeChanges(chunk), attrAt: chunk[0].At, store.AttrTTL: expires,
		}))
	}
	g.Op.Set[row.AttrOpen] = open.id
	rest := w.Tx
	w.Tx = store.Tx{}
	w.Must(g.onVersion(), store.ErrStale)
	w.Join(&rest)
	w.leave(open)
	w.touchMembers(g, true)
}

// encodeChanges writes changes as JSON, as decodeChunk reads them.
func encodeChanges(changes []Change) string {
	b := append(make([]byte, 0, 128*len(changes)), `{"changes":[`...)
	for i, c := range changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendBool(append(b, `{"add":`...), c.Add)
		b = scim.AppendJSON(append(b, `,"display":`...), c.display)
		b = scim.AppendJSON(append(b, `,"type":`...), c.Type)
		b = scim.AppendJSON(append(b, `,"value":`...), c.Value)
		b = append(b, '}')
	}
	return string(append(b, "]}"...))
}

func decodeChunk(it store.Item) ([]Change, error) {
	body, _ := it.Attrs["changes"].(string)
	doc, err := scim.ParseObject(body)
	if err != nil {
		return nil, fmt.Errorf("directory: broken chunk: %w", row.ErrInternal(err))
	}
	list, _ := doc["changes"].([]any)
	at, _ := it.Attrs[attrAt].(int64)
	changes := make([]Change, 0, len(list))
	for _, v := range list {
		o, _ := v.(scim.Object)
		add, _ := o["add"].(bool)
		changes = append(changes, Change{Add: add, Member: Member{
			Value: row.Text(o, "value"), Type: row.Text(o, "type"), display: row.Text(o, "display"), At: at,
		}})
	}
	return changes, nil
}

// rollMembers applies the rest of a large change of members, and closes it.
func (s *Service) rollMembers(ctx context.Context, ts *store.TenantStore, w work, budget *allowance) error {
	prefix := ts.ChunkPrefix(w.id)
	g, gctx := task.WithContext(ctx)
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
			again, err := s.applyChunk(gctx, ts, w, it.Key, changes)
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
		if err := s.closeMembers(ctx, ts, w); err != nil {
			return err
		}
	}
	if err := s.rollResolve(ctx, ts, budget, resolve...); err != nil {
		return err
	}
	if short {
		return errLater
	}
	return nil
}

// closeMembers ends a large change that has no chunks left.
func (s *Service) closeMembers(ctx context.Context, ts *store.TenantStore, open work) error {
	w := Begin(ts)
	w.Must(s.closing(ts.Keys, open), errGone)
	w.Must(store.Op{
		Kind: store.Update, Key: ts.Group(open.Target), Unset: []string{row.AttrOpen},
		If: []store.Cond{store.Is(row.AttrOpen, open.id)},
	}, errMissing)
	err := s.Commit(ctx, w)
	switch {
	case errors.Is(err, errGone): // another caller has closed it
		return nil
	case errors.Is(err, errMissing): // the group is not there: its tenant is being deleted
		return ts.Write(ctx, store.RemoveItem(ts.Work(open.id)))
	}
	return err
}

// missingError says that a user or group that a chunk adds is not there any more.
type missingError struct{ value string }

func (e *missingError) Error() string { return "directory: " + e.value + " was deleted meanwhile" }

// applyChunk applies one chunk, unless another caller has. Users that were deleted since the commit are left out,
// as if they had been deleted right after it. It returns the open work that the chunk's waiting members gave rise
// to.
func (s *Service) applyChunk(
	ctx context.Context, ts *store.TenantStore, open work, chunk store.Key, changes []Change,
) ([]work, error) {
	for all := len(changes); ; {
		w := s.chunkOperations(ts, open, chunk, changes)
		if left := len(changes) - all; left < 0 {
			w.Must(store.Op{
				Kind: store.Update, Key: ts.Group(open.Target), Add: map[string]int64{row.AttrMembers: int64(left)},
				If: []store.Cond{store.IsThere()},
			}, errGone)
		}
		err := s.Commit(ctx, w)
		if errors.Is(err, errGone) { // done before; or without the group, its tenant is being deleted
			return nil, nil
		}
		missing := missingValues(err)
		if len(missing) == 0 {
			return w.work, err
		}
		changes = slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return missing[c.Value] })
	}
}

// chunkOperations makes the transaction of a chunk. It names the users whose memberships it writes.
func (s *Service) chunkOperations(ts *store.TenantStore, open work, chunk store.Key, changes []Change) *Write {
	w := Begin(ts)
	w.step = true
	w.Must(store.RemoveItem(chunk).When(store.IsThere()), errGone)
	again := s.newWork(workResolve, open.Target)
	for _, c := range changes {
		if c.Type == TypeUser {
			w.Touched.Users = append(w.Touched.Users, c.Value)
		}
		stage(&w.Tx, ts.Keys, open.Target, c, staging{gone: &missingError{c.Value}})
		s.wait(&w.Tx, ts.Keys, &again, c)
	}
	if len(again.values) > 0 {
		w.leave(again)
	}
	return w
}

// missingValues are the values in the missingErrors of err.
func missingValues(err error) map[string]bool {
	values := map[string]bool{}
	meanings := []error{err}
	if several := (*store.FailedError)(nil); errors.As(err, &several) {
		meanings = several.Meanings
	}
	for _, m := range meanings {
		if missing := (*missingError)(nil); errors.As(m, &missing) {
			values[missing.value] = true
		}
	}
	return values
}
