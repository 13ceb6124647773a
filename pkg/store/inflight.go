package store

import "context"

// defaultInFlight is Options.MaxInFlight if it is 0: a page for each of 32 readers. What they make of a page takes some
// five times as much.
const defaultInFlight = 32 << 20

// Reserve waits until at most Options.MaxInFlight bytes are in the hands of those who work through many large items,
// and counts bytes among them until release is called. It returns the error of ctx if that ends first; release is never
// nil. A walk over documents reserves MaxPageBytes before each page, and releases it before it asks for the next one.
// Whoever holds a reservation must not wait for another.
func (s *Store) Reserve(ctx context.Context, bytes int) (release func(), err error) {
	weight := min(int64(bytes), s.o.MaxInFlight)
	if err := s.inFlight.Acquire(ctx, weight); err != nil {
		return func() {}, err
	}
	return func() { s.inFlight.Release(weight) }, nil
}

// Reserve is Store.Reserve. All tenants share the bound.
func (t *TenantStore) Reserve(ctx context.Context, bytes int) (release func(), err error) {
	return t.store.Reserve(ctx, bytes)
}
