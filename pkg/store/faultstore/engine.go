package faultstore

import (
	"context"
	"errors"
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// ErrKilled is the answer to every call after the process is said to have died. It is not one that a Store tries again.
var ErrKilled = errors.New("faultstore: the process was killed")

// Engine is a store.Engine in which calls go wrong as its plan says. It is safe for concurrent use; then the order in
// which concurrent calls meet the plan is theirs.
type Engine struct {
	inner store.Engine

	mu     sync.Mutex
	plan   Plan
	calls  int  // asked of plan
	armed  bool // KillAfter or KillAfterWrites counts down
	writes bool // only writes count
	lives  int
}

var _ store.Engine = (*Engine)(nil)

// New returns an engine around inner. A nil plan lets everything through.
func New(inner store.Engine, plan Plan) *Engine {
	e := &Engine{inner: inner}
	e.SetPlan(plan)
	return e
}

// SetPlan replaces the plan; its calls are counted from 0 again.
func (e *Engine) SetPlan(plan Plan) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if plan == nil {
		plan = Script()
	}
	e.plan, e.calls = plan, 0
}

// KillAfter lets n more calls through; every one after them gives ErrKilled, for ever, and does nothing.
func (e *Engine) KillAfter(n int) { e.arm(n, false) }

// KillAfterWrites lets n more writes through, and reads until then; every call after them gives ErrKilled. If reads
// are made in parallel it kills at the same place every time, which KillAfter does not.
func (e *Engine) KillAfterWrites(n int) { e.arm(n, true) }

// Revive ends the effect of KillAfter: a new process on the same storage.
func (e *Engine) Revive() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.armed = false
}

// Killed reports whether a call has been killed.
func (e *Engine) Killed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.armed && e.lives < 0
}

// Calls returns how many calls were made since the last SetPlan, the failed ones included.
func (e *Engine) Calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls
}

func (e *Engine) arm(n int, writes bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.armed, e.writes, e.lives = true, writes, n
}

// meet decides the fate of a call.
func (e *Engine) meet(write bool) (Fault, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.armed {
		if e.lives <= 0 && (write || !e.writes || e.lives < 0) {
			e.lives = -1
			return None, ErrKilled
		}
		if write || !e.writes {
			e.lives--
		}
	}
	fault := e.plan(e.calls)
	e.calls++
	return fault, nil
}

// Get is store.Engine.Get.
func (e *Engine) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	fault, err := e.meet(false)
	if err != nil {
		return nil, nil, err
	}
	if fault == Partial && len(keys) > 1 {
		half := len(keys) / 2
		items, unread, err := e.inner.Get(ctx, keys[:half])
		for i := half; err == nil && i < len(keys); i++ {
			items = append(items, store.Item{Key: keys[i]})
			unread = append(unread, i)
		}
		return items, unread, err
	}
	if err := before(fault, false); err != nil {
		return nil, nil, err
	}
	items, unread, err := e.inner.Get(ctx, keys)
	if err := after(fault, err); err != nil {
		return nil, nil, err
	}
	return items, unread, nil
}

// Query is store.Engine.Query.
func (e *Engine) Query(ctx context.Context, q store.Query) (store.Page, error) {
	fault, err := e.meet(false)
	if err != nil {
		return store.Page{}, err
	}
	if err := before(fault, false); err != nil {
		return store.Page{}, err
	}
	page, err := e.inner.Query(ctx, q)
	if err := after(fault, err); err != nil {
		return store.Page{}, err
	}
	return page, nil
}

// Transact is store.Engine.Transact.
func (e *Engine) Transact(ctx context.Context, token string, ops []store.Op) error {
	fault, err := e.meet(true)
	if err != nil {
		return err
	}
	if err := before(fault, true); err != nil {
		return err
	}
	return after(fault, e.inner.Transact(ctx, token, ops))
}

// Batch is store.Engine.Batch. A partial one does every other operation, from the second on.
func (e *Engine) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	fault, err := e.meet(true)
	if err != nil {
		return nil, err
	}
	if fault == Partial && len(ops) > 1 {
		return e.half(ctx, ops)
	}
	if err := before(fault, false); err != nil {
		return nil, err
	}
	undone, err := e.inner.Batch(ctx, ops)
	if err := after(fault, err); err != nil {
		return nil, err
	}
	return undone, nil
}

func (e *Engine) half(ctx context.Context, ops []store.Op) ([]int, error) {
	var done []store.Op
	var undone, at []int
	for i, op := range ops {
		if i%2 == 0 {
			undone = append(undone, i)
			continue
		}
		done, at = append(done, op), append(at, i)
	}
	left, err := e.inner.Batch(ctx, done)
	for _, i := range left {
		undone = append(undone, at[i])
	}
	return undone, err
}

// before is the answer of a fault that keeps the call from being made; nil if it is to be made.
func before(fault Fault, conflicts bool) error {
	switch fault {
	case None, LostAnswer:
		return nil
	case LostRequest:
		return store.ErrUnavailable
	case Conflict:
		if conflicts {
			return store.ErrConflict
		}
	}
	return store.ErrThrottled
}

// after is the answer to a call that was made.
func after(fault Fault, err error) error {
	if fault == LostAnswer {
		return store.ErrUnavailable
	}
	return err
}
