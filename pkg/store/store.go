package store

import (
	"context"
	"iter"
	"time"
)

// Options of a Store. The zero value is good.
type Options struct {
	// MaxWait bounds how long one call of a Store goes on, retries included; 0 means ten seconds.
	MaxWait time.Duration
	// BaseDelay is the bound of the first pause before a retry; it doubles with every further one. 0 means 20 milliseconds.
	BaseDelay time.Duration
}

// Store is storage as the program uses it.
type Store struct {
	engine Engine
	o      Options
}

// New returns a Store on an engine.
func New(e Engine, o Options) *Store { return &Store{engine: e, o: o} }

// Get reads items.
func (s *Store) Get(ctx context.Context, keys ...Key) ([]Item, error) { panic("not yet") }

// Query reads one page of a range.
func (s *Store) Query(ctx context.Context, q Query) (Page, error) { panic("not yet") }

// All walks a range.
func (s *Store) All(ctx context.Context, q Query) iter.Seq2[Item, error] { panic("not yet") }

// Transact applies operations, all or nothing.
func (s *Store) Transact(ctx context.Context, ops ...Op) error { panic("not yet") }

// Write applies one operation.
func (s *Store) Write(ctx context.Context, op Op) error { panic("not yet") }

// Batch applies unconditional operations.
func (s *Store) Batch(ctx context.Context, ops ...Op) error { panic("not yet") }
