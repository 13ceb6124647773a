package boltstore

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Memory is the path of an engine that keeps nothing.
const Memory = ":memory:"

// Options of an Engine. The zero value is good.
type Options struct {
	// Now is the clock by which idempotency tokens live; nil is time.Now.
	Now func() time.Time
}

// Engine is a store.Engine on one local file.
type Engine struct{}

var _ store.Engine = (*Engine)(nil)

// Open opens, or creates, the file at path.
func Open(path string, o Options) (*Engine, error) { panic("not yet") }

// Close ends the engine.
func (e *Engine) Close() error { panic("not yet") }

// Get is store.Engine.Get.
func (e *Engine) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	panic("not yet")
}

// Query is store.Engine.Query.
func (e *Engine) Query(ctx context.Context, q store.Query) (store.Page, error) { panic("not yet") }

// Transact is store.Engine.Transact.
func (e *Engine) Transact(ctx context.Context, token string, ops []store.Op) error { panic("not yet") }

// Batch is store.Engine.Batch.
func (e *Engine) Batch(ctx context.Context, ops []store.Op) ([]int, error) { panic("not yet") }
