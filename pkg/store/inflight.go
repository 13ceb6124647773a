package store

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"
)

const (
	// defaultInFlight is Options.MaxInFlight if it is 0: a page for each of 32 readers. The data that they decode
	// from a page takes some five times as much.
	defaultInFlight = 32 << 20
	// portionBytes is about the most that one answer of a Portions call is to hold: four such answers
	// are in flight at a time. An engine may answer up to MaxGetBytes, until the items that came show
	// how large they are.
	portionBytes = 8 << 20
	// portionGets is the number of Gets that one Portions call makes at a time.
	portionGets = 4
	// fewKeys is up to how many keys Portions reads without a reservation: any request may read so many.
	fewKeys = 8
)

// Reserve reserves bytes of memory for work on many large items. At most Options.MaxInFlight bytes are reserved at
// a time: it waits until there is room, and keeps the bytes until release is called. It returns the error of ctx
// if that ends first; release is never nil. A walk over documents reserves MaxPageBytes before each page, and
// releases it before it asks for the next one. Whoever holds a reservation must not wait for another.
func (s *Store) Reserve(ctx context.Context, bytes int) (release func(), err error) {
	r, err := s.reserve(ctx, bytes)
	return r.release, err
}

type beforeWalkKey struct{}

// BeforeWalk returns a context under which begin is called before each page of a walk over documents, and fails the
// walk if it returns an error.
func BeforeWalk(ctx context.Context, begin func(context.Context) error) context.Context {
	return context.WithValue(ctx, beforeWalkKey{}, begin)
}

// Reserve is Store.Reserve for a page of a walk. All tenants share that bound. Before it, the page waits until the
// tenant has fewer than Options.MaxWalking pages in work.
func (t *TenantStore) Reserve(ctx context.Context, bytes int) (release func(), err error) {
	if begin, ok := ctx.Value(beforeWalkKey{}).(func(context.Context) error); ok {
		if err := begin(ctx); err != nil {
			return func() {}, err
		}
	}
	leave, err := t.store.walkers.enter(ctx, t.tenant)
	if err != nil {
		return leave, err
	}
	free, err := t.store.Reserve(ctx, bytes)
	return func() { free(); leave() }, err
}

// walkers bounds the pages of walks that each tenant has in work at a time; most is 0 if there is no bound.
type walkers struct {
	most    int64
	mu      sync.Mutex
	tenants map[string]*walker
}

// walker is a tenant that has pages in work, or pages that wait.
type walker struct {
	pages *semaphore.Weighted
	all   int
}

// enter waits until a page of a tenant may be read. leave is never nil.
func (w *walkers) enter(ctx context.Context, tenant string) (leave func(), err error) {
	if w.most == 0 {
		return func() {}, nil
	}
	w.mu.Lock()
	one := w.tenants[tenant]
	if one == nil {
		one = &walker{pages: semaphore.NewWeighted(w.most)}
		w.tenants[tenant] = one
	}
	one.all++
	w.mu.Unlock()
	gone := func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if one.all--; one.all == 0 {
			delete(w.tenants, tenant)
		}
	}
	if err := one.pages.Acquire(ctx, 1); err != nil {
		gone()
		return func() {}, err
	}
	return func() { one.pages.Release(1); gone() }, nil
}

// reservation is a part of Options.MaxInFlight.
type reservation struct {
	store  *Store
	weight int64
}

func (s *Store) reserve(ctx context.Context, bytes int) (*reservation, error) {
	weight := min(int64(bytes), s.o.MaxInFlight)
	if err := s.inFlight.Acquire(ctx, weight); err != nil {
		return &reservation{store: s}, err
	}
	return &reservation{s, weight}, nil
}

// keep gives back the part of the reservation beyond so many bytes.
func (r *reservation) keep(bytes int) {
	if spare := r.weight - int64(bytes); spare > 0 {
		r.store.inFlight.Release(spare)
		r.weight -= spare
	}
}

func (r *reservation) release() { r.keep(0) }

// Portions reads the items of any number of distinct keys, each atomically, and gives them to use as they come, each
// key once: at are the places of items among the keys, and Attrs is nil if there is no item. It ends early, without an
// error, after use has returned false. use is called by one goroutine at a time.
//
// The items of a portion are counted among the bytes in flight (see Reserve) until use returns; so use must not call
// Reserve or Portions. Portions of large items hold fewer of them.
func (s *Store) Portions(
	ctx context.Context, keys []Key, use func(at []int, items []Item) (more bool, err error),
) error {
	p := portions{store: s, keys: keys, use: use, size: MaxGetKeys}
	left := make([]int, len(keys))
	for i := range left {
		left[i] = i
	}
	for len(left) > 0 && !p.ended {
		n := min(len(left), p.size*portionGets)
		if p.size < MaxGetKeys { // large ones: one answer after the other
			n = min(len(left), p.size)
		}
		p.unread = nil
		err := s.chunks(ctx, n, p.size, func(ctx context.Context, from, to int) error {
			return p.read(ctx, left[from:to])
		})
		if err != nil {
			return err
		}
		left = append(p.unread, left[n:]...)
	}
	return nil
}

// Portions is Store.Portions.
func (t *TenantStore) Portions(
	ctx context.Context, keys []Key, use func(at []int, items []Item) (more bool, err error),
) error {
	for _, k := range keys {
		if err := t.fence(k.PK); err != nil {
			return err
		}
	}
	return t.store.Portions(ctx, keys, use)
}

// portions is one call of Portions.
type portions struct {
	store *Store
	keys  []Key
	use   func(at []int, items []Item) (bool, error)
	size  int // keys of a Get

	mu     sync.Mutex // guards the rest, and calls of use
	unread []int
	ended  bool
}

// read reads the items of the keys at these places and gives them to use. Places that the engine leaves out are
// added to unread.
func (p *portions) read(ctx context.Context, at []int) error {
	r := &reservation{store: p.store}
	if len(at) > fewKeys {
		var err error
		if r, err = p.store.reserve(ctx, min(len(at)*MaxItemBytes, portionBytes)); err != nil {
			return err
		}
	}
	defer func() { r.release() }()
	items, unread, err := p.store.some(ctx, pick(p.keys, at))
	if err != nil {
		return err
	}
	bytes, got, left := 0, at[:0:0], at[:0:0]
	for i, it := range items {
		if slices.Contains(unread, i) {
			left = append(left, at[i])
			continue
		}
		bytes += ItemBytes(it.Key, it.Attrs)
		items[len(got)] = it
		got = append(got, at[i])
	}
	r.keep(bytes)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unread = append(p.unread, left...)
	if bytes > portionBytes/2 {
		p.size = max(1, min(p.size, portionBytes*len(got)/bytes))
	}
	if p.ended {
		return nil
	}
	more, err := p.use(got, items[:len(got)])
	p.ended = !more
	return err
}
