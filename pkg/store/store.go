package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// parallel bounds the engine calls that one call of a Store makes at a time.
const parallel = 8

// Options of a Store. The zero value is good.
type Options struct {
	// MaxWait bounds how long one call of a Store is tried again; 0 means ten seconds. The context
	// may end it sooner. The first try ends when the engine gives up, by itself or with the
	// context.
	MaxWait time.Duration
	// BaseDelay bounds the pause before the first retry; the bound doubles with every further one,
	// up to fifty times this. The pause itself is random below it. 0 means 20 milliseconds.
	BaseDelay time.Duration
	// MaxInFlight bounds the bytes that Reserve gives out at a time; 0 means 32 MiB.
	MaxInFlight int64
	// MaxWalking bounds the pages of walks that a tenant has in work at a time; 0 sets no bound. It is for an engine
	// whose reads take the CPU of this process: with the bound, the walks of one tenant leave some of it to the others.
	MaxWalking int
}

// Store is storage as the program uses it. If retries are exhausted, the error wraps ErrConflict or ErrThrottled if
// nothing was written, ErrUnavailable if a write may have happened. It is safe for concurrent use.
type Store struct {
	engine   Engine
	o        Options
	inFlight *semaphore.Weighted
	walkers  walkers
}

// New returns a Store on an engine.
func New(e Engine, o Options) *Store {
	if o.MaxWait == 0 {
		o.MaxWait = 10 * time.Second
	}
	if o.BaseDelay == 0 {
		o.BaseDelay = 20 * time.Millisecond
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = defaultInFlight
	}
	return &Store{
		engine: e, o: o, inFlight: semaphore.NewWeighted(o.MaxInFlight),
		walkers: walkers{most: int64(o.MaxWalking), tenants: map[string]*walker{}},
	}
}

// Get reads any number of items, in the order asked; Attrs is nil if there is none. A key may appear twice: its
// items then share their Attrs. More than MaxGetKeys keys are read in parallel, each item atomically.
func (s *Store) Get(ctx context.Context, keys ...Key) ([]Item, error) {
	if len(keys) == 1 {
		return s.get(ctx, keys)
	}
	distinct, first := distinctKeys(keys)
	if len(distinct) == 0 {
		return nil, nil
	}
	found := make([]Item, len(distinct))
	err := s.chunks(ctx, len(distinct), MaxGetKeys, func(ctx context.Context, from, to int) error {
		items, err := s.get(ctx, distinct[from:to])
		copy(found[from:to], items)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(distinct) == len(keys) {
		return found, nil
	}
	items := make([]Item, len(keys))
	for i, k := range keys {
		items[i] = found[first[k]]
	}
	return items, nil
}

// distinctKeys returns the keys without repetition, and the index of each in that list.
func distinctKeys(keys []Key) ([]Key, map[Key]int) {
	first := make(map[Key]int, len(keys))
	distinct := make([]Key, 0, len(keys))
	for _, k := range keys {
		if _, ok := first[k]; !ok {
			first[k] = len(distinct)
			distinct = append(distinct, k)
		}
	}
	return distinct, first
}

// get reads the items of at most MaxGetKeys distinct keys, in the order asked.
func (s *Store) get(ctx context.Context, keys []Key) (found []Item, err error) {
	var at []int // the places in found of the keys that were left unread; nil before the first answer
	err = s.retry(ctx, always, func(ctx context.Context) (bool, error) {
		items, unread, err := s.engine.Get(ctx, keys)
		if err != nil {
			return false, err
		}
		if found == nil {
			found = items
		} else {
			for i, item := range items {
				found[at[i]] = item
			}
		}
		if len(unread) == 0 {
			return false, nil
		}
		progress := len(unread) < len(keys)
		keys = pick(keys, unread)
		if at == nil {
			at = unread
		} else {
			at = pick(at, unread)
		}
		return progress, fmt.Errorf("%w: %d items unread", ErrThrottled, len(unread))
	})
	return found, err
}

// some is like get, but asks again for keys that the engine left unread only if all of them were.
func (s *Store) some(ctx context.Context, keys []Key) (items []Item, unread []int, err error) {
	err = s.retry(ctx, always, func(ctx context.Context) (bool, error) {
		var err error
		if items, unread, err = s.engine.Get(ctx, keys); err == nil && len(unread) == len(keys) {
			err = fmt.Errorf("%w: %d items unread", ErrThrottled, len(unread))
		}
		return false, err
	})
	return items, unread, err
}

func pick[T any](all []T, indexes []int) []T {
	picked := make([]T, len(indexes))
	for i, index := range indexes {
		picked[i] = all[index]
	}
	return picked
}

// Query reads one page of a range.
func (s *Store) Query(ctx context.Context, q Query) (Page, error) {
	var page Page
	err := s.retry(ctx, always, func(ctx context.Context) (bool, error) {
		p, err := s.engine.Query(ctx, q)
		page = p
		return false, err
	})
	if err != nil {
		return Page{}, err
	}
	return page, nil
}

// All walks a range page by page; q.Limit is the size of a page. Items written while it walks may or may not be seen.
// It ends after the first error, and with that of ctx before the next item if ctx ends.
func (s *Store) All(ctx context.Context, q Query) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for page, err := range s.Pages(ctx, q) {
			if err != nil {
				yield(Item{}, err)
				return
			}
			for _, item := range page.Items {
				if err := ctx.Err(); err != nil {
					yield(Item{}, err)
					return
				}
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// Pages is All for callers who have to know which items were read at one moment: those of a page.
func (s *Store) Pages(ctx context.Context, q Query) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for {
			page, err := s.Query(ctx, q)
			if !yield(page, err) || err != nil || !page.More {
				return
			}
			q.After = page.Last
		}
	}
}

// Transact applies up to MaxTransactOps operations on distinct keys, all or nothing, exactly once however often it
// has to try. A condition that does not hold gives the *ConditionError. It costs twice as much as the writes
// alone.
func (s *Store) Transact(ctx context.Context, ops ...Op) error {
	if len(ops) == 0 {
		return nil
	}
	if err := held(ctx); err != nil {
		return err
	}
	token := uuid.NewString()
	return s.retry(ctx, always, func(ctx context.Context) (bool, error) {
		return false, s.engine.Transact(ctx, token, ops)
	})
}

// Write applies one operation as a plain write. If no answer came, it tries again only if the operation may happen
// twice: one without condition and without Add. Else the error wraps ErrUnavailable and the write may have
// happened.
func (s *Store) Write(ctx context.Context, op Op) error {
	if err := held(ctx); err != nil {
		return err
	}
	retryable := always
	if len(op.If) > 0 || len(op.Add) > 0 {
		retryable = refused
	}
	return s.retry(ctx, retryable, func(ctx context.Context) (bool, error) {
		return false, s.engine.Transact(ctx, "", []Op{op})
	})
}

// Batch applies any number of unconditional Put and Delete operations on distinct keys, each atomically, in no order.
// After an error some of them may have happened.
func (s *Store) Batch(ctx context.Context, ops ...Op) error {
	if err := held(ctx); err != nil {
		return err
	}
	seen := make(map[Key]struct{}, len(ops))
	for _, op := range ops {
		if _, dup := seen[op.Key]; dup {
			return refuse("key %q, %q appears twice", op.PK, op.SK)
		}
		seen[op.Key] = struct{}{}
	}
	return s.chunks(ctx, len(ops), MaxBatchOps, func(ctx context.Context, from, to int) error {
		return s.batch(ctx, ops[from:to])
	})
}

func (s *Store) batch(ctx context.Context, ops []Op) error {
	return s.retry(ctx, always, func(ctx context.Context) (bool, error) {
		undone, err := s.engine.Batch(ctx, ops)
		if err != nil || len(undone) == 0 {
			return false, err
		}
		progress := len(undone) < len(ops)
		ops = pick(ops, undone)
		return progress, fmt.Errorf("%w: %d operations undone", ErrThrottled, len(undone))
	})
}

// chunks calls do for every range of at most size of n, several at a time, and returns the first error.
func (s *Store) chunks(ctx context.Context, n, size int, do func(ctx context.Context, from, to int) error) error {
	if n <= size {
		if n == 0 {
			return nil
		}
		return do(ctx, 0, n)
	}
	group, ctx := task.WithContext(ctx)
	group.SetLimit(parallel)
	for from := 0; from < n; from += size {
		group.Go(func() error { return do(ctx, from, min(from+size, n)) })
	}
	return group.Wait()
}

// always is true for the errors after which idempotent work may be tried again.
func always(err error) bool { return refused(err) || errors.Is(err, ErrUnavailable) }

// refused is true for the errors that say that nothing was done.
func refused(err error) bool { return errors.Is(err, ErrConflict) || errors.Is(err, ErrThrottled) }
