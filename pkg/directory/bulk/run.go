package bulk

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/directory/bulkid"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// run carries out the units, each as soon as those before it are done, up to parallel at a time.
//
// With a limit of errors a unit begins only when the limit can't be reached before it, even if all operations before
// it that are still under way fail: so nothing is carried out that would not be if they came one by one.
func (b *request) run(ctx context.Context, units []unit, limit int) {
	waits := make([]int, len(units))
	before := make([][]int, len(units))
	for u, unit := range units {
		waits[u] = len(unit.after)
		for _, k := range unit.after {
			before[k] = append(before[k], u)
		}
	}
	var (
		begun   = make([]bool, len(units))
		failed  = make([]int, len(units)) // operations that failed; all of them until the unit is done
		done    = make(chan int)
		running int
		first   int // all units before it have begun
	)
	for u := range units {
		failed[u] = len(units[u].ops)
	}
	for {
		for b.begin.Err() == nil && running < parallel {
			for first < len(units) && begun[first] {
				first++
			}
			u := next(waits, begun, first)
			if u < 0 || limit > 0 && sum(failed[:u]) >= limit {
				break
			}
			begun[u] = true
			running++
			task.Start(func() error {
				b.unit(ctx, units[u])
				done <- u
				return nil
			})
		}
		if running == 0 {
			break
		}
		u := <-done
		running--
		failed[u] = 0
		for _, i := range units[u].ops {
			if b.results[i].Err != nil {
				failed[u]++
			}
		}
		for _, w := range before[u] {
			waits[w]--
		}
	}
	if b.begin.Err() != nil {
		b.leave(units, begun)
	}
}

// leave gives the operations that did not begin in time their result.
func (b *request) leave(units []unit, begun []bool) {
	for u, unit := range units {
		for _, i := range unit.ops {
			if !begun[u] {
				b.results[i] = Result{ID: b.ids[i], Err: notBegun()}
			}
		}
	}
}

// next is the first unit from `first` on that can begin, or -1.
func next(waits []int, begun []bool, first int) int {
	for u := first; u < len(waits); u++ {
		if !begun[u] && waits[u] == 0 {
			return u
		}
	}
	return -1
}

func sum(numbers []int) int {
	total := 0
	for _, n := range numbers {
		total += n
	}
	return total
}

// unit carries out one unit. A panic in it is its own failure and nobody else's.
func (b *request) unit(ctx context.Context, u unit) {
	err := task.Do(func() error {
		if u.circle {
			b.circle(ctx, u.ops)
		} else {
			i := u.ops[0]
			b.results[i] = b.named(i, b.one(b.as(ctx, i), i))
		}
		return nil
	})
	if err != nil {
		for _, i := range u.ops {
			b.results[i] = b.panicked(i, err)
		}
	}
}

// panicked is the result of an operation that ended in a panic.
func (b *request) panicked(i int, err error) Result {
	var p *task.Panic
	if errors.As(err, &p) {
		b.o.Log.Error("panic in a bulk operation", "tenant", b.t.ID, "error", err, "stack", string(p.Stack))
	}
	return Result{ID: b.ids[i], Err: fmt.Errorf("bulk: an operation failed: %w", err)}
}

// circle carries out operations that refer to each other: creates all of them without these references, then adds
// these.
func (b *request) circle(ctx context.Context, ops []int) {
	inside, untouched := map[int]bool{}, !b.memory.resumed
	for _, i := range ops {
		inside[i] = true
		untouched = untouched && b.memory.there[i]
	}
	inCircle := func(bulkID string) bool { return inside[b.creates[bulkID]] }
	later := make([]scim.Object, len(ops))
	left := make([]int64, len(ops)) // the versions that nobody but this run, or one before it, has made
	err := b.each(ctx, ops, func(_ context.Context, _, i int) Result {
		return Result{ID: b.ids[i], Err: b.ready(i, inside)}
	})
	if err == nil {
		err = b.each(ctx, ops, func(ctx context.Context, n, i int) Result {
			data, done, err := b.decode(ctx, i)
			if err != nil {
				return Result{ID: b.ids[i], Err: err}
			}
			defer done()
			data, later[n] = bulkid.Split(data, inCircle)
			data, _ = bulkid.Rewrite(data, "", b.idOf).(scim.Object)
			r := b.create(ctx, i, data)
			if errors.Is(r.Err, errTakenBack) {
				r.Err = takenBack()
			}
			if left[n] = r.Version; b.memory.there[i] {
				left[n] = b.memory.version[i]
			}
			return r
		})
	}
	if err == nil && !untouched {
		err = b.each(ctx, ops, func(ctx context.Context, n, i int) Result {
			r := Result{Status: http.StatusCreated, ID: b.ids[i]}
			add := patch.Operation{Kind: patch.Add, Value: bulkid.Rewrite(later[n], "", b.idOf), HasValue: true}
			var res directory.Resource
			switch res, r.Err = b.patch(ctx, i, []patch.Operation{add}); {
			case isNotFound(r.Err):
				r.Err = takenBack()
			case r.Err == nil && res.Version == left[n]+1: // else others have changed it as well
				left[n], b.memory.made[i] = res.Version, true
			}
			r.Version = res.Version
			return r
		})
	}
	if err == nil {
		return
	}
	if final(err) {
		b.undo(ctx, ops, left)
	}
	b.failCircle(ops, err)
}

// each carries out step for all operations of a circle in parallel, keeps its results, and returns one of the errors;
// one that is no final answer goes first.
func (b *request) each(ctx context.Context, ops []int, step func(ctx context.Context, n, i int) Result) error {
	var g task.Group
	g.SetLimit(parallel)
	for n, i := range ops {
		g.Go(func() error {
			err := task.Do(func() error {
				b.results[i] = step(b.as(ctx, i), n, i)
				return nil
			})
			if err != nil {
				b.results[i] = b.panicked(i, err)
			}
			return nil
		})
	}
	_ = g.Wait() // every failure is a result
	var first error
	for _, i := range ops {
		if err := b.results[i].Err; err != nil && (first == nil || final(first) && !final(err)) {
			first = err
		}
	}
	return first
}

// takenBack is the error of a resource of a circle that another run of the same request has deleted again.
func takenBack() error {
	return scim.Errorf(http.StatusConflict, scim.NoType,
		"The same request ran twice at the same time and could not create all its resources. Send it again.")
}

// undo deletes the resources that a failed circle has created or completed. left are the versions that this run
// has left: if another run of the same request has changed a resource since, unfinished decides.
func (b *request) undo(ctx context.Context, ops []int, left []int64) {
	_ = b.each(ctx, ops, func(ctx context.Context, n, i int) Result {
		r := b.results[i]
		if !b.memory.made[i] && !(b.memory.resumed && b.memory.there[i]) {
			return r
		}
		version := left[n]
		err := b.d.Retry(ctx, func() error {
			match := directory.Resource{Version: version}.ETag()
			err := b.d.Delete(ctx, b.t, b.ops[i].Type, b.ids[i], []string{match})
			if known := (*scim.Error)(nil); !errors.As(err, &known) || known.Status != http.StatusPreconditionFailed {
				return err
			}
			if version, err = b.unfinished(ctx, ops, n); err != nil || version == 0 {
				return err
			}
			return directory.ErrStale
		})
		if err != nil && !final(err) {
			r.Err = err
		}
		return r
	})
}

// unfinished returns the version of one of the resources of a circle, the n-th, while the circle is not whole; 0
// if all of it is there, because another run of the same request has completed it, or will undo it. A deletion in
// the circle changes the resources that refer to the deleted one.
func (b *request) unfinished(ctx context.Context, ops []int, n int) (version int64, err error) {
	keys := make([]store.Key, len(ops))
	for k, i := range ops {
		keys[k] = row.Key(b.ts.Keys, b.ops[i].Type, b.ids[i])
	}
	items, err := b.ts.Get(ctx, keys...)
	if err != nil {
		return 0, err
	}
	for _, it := range items {
		if it.Attrs == nil {
			return row.VersionOf(items[n]), nil
		}
	}
	return 0, nil
}

// failCircle gives the operations of a failed circle that did not fail themselves their error.
func (b *request) failCircle(ops []int, cause error) {
	shared := notBegun()
	if known := (*scim.Error)(nil); final(cause) && errors.As(cause, &known) {
		shared = scim.Errorf(http.StatusConflict, scim.NoType,
			"The resources of this request that refer to each other are created together or not at all, "+
				"and one of them could not be: %s", known.Detail)
	}
	for _, i := range ops {
		r := &b.results[i]
		if r.Err == nil || !final(cause) && final(r.Err) {
			r.Err = shared
		}
		r.Status, r.Version = 0, 0
	}
}
