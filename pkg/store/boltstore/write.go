package boltstore

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// maxGroup bounds how many jobs share one write to disk.
const maxGroup = 256

// job is one Transact, or one Batch, on its way through the writer.
type job struct {
	ops     []store.Op
	keys    [][]byte // of ops, as they are in the file
	puts    [][]byte // the encoded items of the Puts among ops
	token   string
	payload uint64 // fingerprint of ops, with a token

	taken atomic.Bool   // by the writer, or by a caller who gave up
	done  chan struct{} // closed once cost and err are final
	cost  store.Cost
	err   error
}

// Transact is store.Engine.Transact.
func (e *Engine) Transact(ctx context.Context, token string, ops []store.Op) error {
	if err := store.ValidateToken(token); err != nil {
		return err
	}
	if err := store.ValidateTransact(ops); err != nil {
		return err
	}
	j := newJob(ops)
	if token != "" {
		j.token, j.payload = token, e.tokens.fingerprint(ops)
	}
	return e.submit(ctx, j, transactional(token, ops))
}

// transactional reports whether DynamoDB needs a transaction for ops, which doubles their cost.
func transactional(token string, ops []store.Op) bool {
	return token != "" || len(ops) > 1 || ops[0].Kind == store.Check
}

// Batch is store.Engine.Batch. It leaves nothing undone.
func (e *Engine) Batch(ctx context.Context, ops []store.Op) (undone []int, err error) {
	if err := store.ValidateBatch(ops); err != nil {
		return nil, err
	}
	return nil, e.submit(ctx, newJob(ops), false)
}

func newJob(ops []store.Op) *job {
	parts, size := make([][]byte, 2*len(ops)), 0
	for i := range ops {
		size += keySize(ops[i].PK, ops[i].SK)
	}
	j := &job{ops: ops, keys: parts[:len(ops)], puts: parts[len(ops):], done: make(chan struct{})}
	all := make([]byte, 0, size)
	for i := range ops {
		begin := len(all)
		all = appendKey(all, ops[i].PK, ops[i].SK)
		j.keys[i] = all[begin:]
		if ops[i].Kind == store.Put {
			j.puts[i] = encodeItem(ops[i].Key, ops[i].Set)
		}
	}
	return j
}

// submit hands a job to the writer and waits for it. Once the writer has begun with it, ctx no longer ends the
// wait: it is short, and the caller learns the result of the write.
func (e *Engine) submit(ctx context.Context, j *job, double bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.enqueue(ctx, j); err != nil {
		return err
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		<-j.done
	}
	j.cost.Calls = 1
	if double {
		j.cost.ReadUnits *= 2
		j.cost.WriteUnits *= 2
	}
	store.Charge(ctx, j.cost)
	return j.err
}

func (e *Engine) enqueue(ctx context.Context, j *job) error {
	e.closing.RLock()
	defer e.closing.RUnlock()
	if e.closed {
		return ErrClosed
	}
	select {
	case e.queue <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write is the writer: it takes the jobs in the queue and commits them together, until Close.
func (e *Engine) write() {
	defer close(e.finished)
	debug.SetPanicOnFault(true)
	var last pace
	for first := range e.queue {
		jobs := last.gather(first, e.queue)
		last.measure(len(jobs), func() { e.commit(jobs) })
	}
}

// commit applies a group of jobs, each all or nothing, with one write to disk.
func (e *Engine) commit(jobs []*job) {
	jobs = take(jobs)
	if len(jobs) == 0 {
		return
	}
	var used []tokenID
	err := e.update(func(tx *bbolt.Tx) error {
		g := newGroup(e, tx)
		changed := false
		for _, j := range jobs {
			wrote, err := g.apply(j)
			if err != nil {
				return err
			}
			if wrote && j.token != "" {
				used = append(used, e.tokens.use(j.token, j.payload, e.now()))
			}
			changed = changed || wrote
		}
		if !changed {
			return errNothing
		}
		return g.sweep(e.now().Unix(), sweepsPerJob*len(jobs))
	})
	if err != nil && !errors.Is(err, errNothing) {
		e.tokens.forget(used)
		if !errors.Is(err, store.ErrFull) && !errors.Is(err, store.ErrDamaged) {
			// Which of the group's changes are on disk is not known.
			err = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
		}
		for _, j := range jobs {
			j.err = err
		}
	}
	for _, j := range jobs {
		close(j.done)
	}
}

// take leaves out the jobs whose callers have given up.
func take(jobs []*job) []*job {
	taken := jobs[:0]
	for _, j := range jobs {
		if j.taken.CompareAndSwap(false, true) {
			taken = append(taken, j)
		}
	}
	return taken
}
