package directory_test

import (
	"context"
	"strings"
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// intercept is an engine that tells of every call before it is made, so that a test can do something just there.
type intercept struct {
	store.Engine
	mu     sync.Mutex
	before func(c call)
	page   int  // most items of a page, as if they were large; 0 is the engine's own size
	single bool // reads the items of a call one by one, as store.Engine allows
}

// call is an engine call: the partitions that it touches, and the writes in it.
type call struct {
	keys []store.Key
	ops  []store.Op
	read bool
}

// touches reports whether the call concerns a partition, named by the end of its name.
func (c call) touches(partition string) bool {
	for _, k := range c.keys {
		if strings.HasSuffix(k.PK, "#"+partition) {
			return true
		}
	}
	return false
}

// kind reports whether the call writes to a partition in this way.
func (c call) does(kind store.OpKind, partition string) bool {
	for _, op := range c.ops {
		if op.Kind == kind && strings.HasSuffix(op.PK, "#"+partition) {
			return true
		}
	}
	return false
}

// once has do run before the first call for which at is true. Calls from do itself are not looked at.
func (e *intercept) once(at func(call) bool, do func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.before = func(c call) {
		if !at(c) {
			return
		}
		e.mu.Lock()
		mine := e.before != nil
		e.before = nil
		e.mu.Unlock()
		if mine {
			do()
		}
	}
}

// done reports whether the call that once waits for has come.
func (e *intercept) done() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.before == nil
}

func (e *intercept) tell(c call) {
	e.mu.Lock()
	before := e.before
	e.mu.Unlock()
	if before != nil {
		before(c)
	}
}

func (e *intercept) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	if e.single {
		return e.each(ctx, keys)
	}
	e.tell(call{keys: keys, read: true})
	return e.Engine.Get(ctx, keys)
}

// each reads keys one by one.
func (e *intercept) each(ctx context.Context, keys []store.Key) (items []store.Item, unread []int, err error) {
	for i := range keys {
		e.tell(call{keys: keys[i : i+1], read: true})
		item, left, err := e.Engine.Get(ctx, keys[i:i+1])
		if err != nil {
			return nil, nil, err
		}
		if items = append(items, item...); len(left) > 0 {
			unread = append(unread, i)
		}
	}
	return items, unread, nil
}

func (e *intercept) Query(ctx context.Context, q store.Query) (store.Page, error) {
	e.tell(call{keys: []store.Key{{PK: q.PK, SK: q.Prefix}}, read: true})
	if e.page > 0 && (q.Limit == 0 || q.Limit > e.page) {
		q.Limit = e.page
	}
	return e.Engine.Query(ctx, q)
}

func (e *intercept) Transact(ctx context.Context, token string, ops []store.Op) error {
	e.tell(call{keys: keysOf(ops), ops: ops})
	return e.Engine.Transact(ctx, token, ops)
}

func (e *intercept) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	e.tell(call{keys: keysOf(ops), ops: ops})
	return e.Engine.Batch(ctx, ops)
}

func keysOf(ops []store.Op) []store.Key {
	keys := make([]store.Key, len(ops))
	for i, op := range ops {
		keys[i] = op.Key
	}
	return keys
}
