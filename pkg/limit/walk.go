package limit

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// The places of walks: how many a tenant has, for how long a process keeps one at most, and how many pages of documents
// a request reads without one, such as a list that begins at the first user.
const (
	walks     = 3
	walkTime  = time.Minute
	freePages = 8
)

const (
	attrBy    = "by"
	attrUntil = "until"
)

// Walks returns a context under which a walk over all documents of a type takes a place of the tenant first, and the
// function that gives it back. A walk that finds no place fails with a *BusyError.
func (s *Service) Walks(ctx context.Context, tenantID string) (context.Context, func()) {
	if s == nil {
		return ctx, func() {}
	}
	w := &walk{service: s, ts: s.store.Tenant(tenantID)}
	return store.BeforeWalk(ctx, w.begin), w.end
}

// walk is a request's place.
type walk struct {
	service *Service
	ts      *store.TenantStore
	pages   atomic.Int64
	once    sync.Once
	err     error
	key     store.Key
	by      string // not empty while it has the place
}

// begin takes a place before the first page that is not free, once for a request.
func (w *walk) begin(ctx context.Context) error {
	if w.pages.Add(1) <= freePages {
		return nil
	}
	w.once.Do(func() { w.err = w.take(ctx) })
	return w.err
}

func (w *walk) take(ctx context.Context) error {
	now, by := w.service.now(), rand.Text()
	set := store.Attrs{
		store.AttrSchema: store.SchemaVersion, attrBy: by, attrUntil: now.Add(walkTime).UnixMilli(),
		store.AttrTTL: now.Add(2 * walkTime).Unix(),
	}
	for place := range int64(walks) {
		for _, cond := range []store.Cond{
			{Test: store.Absent}, {Test: store.Less, Attr: attrUntil, Value: now.UnixMilli()},
		} {
			key := w.ts.Walk(place)
			err := w.ts.Write(ctx, store.Op{Kind: store.Put, Key: key, Set: set, If: []store.Cond{cond}})
			var refused *store.ConditionError
			if err == nil {
				w.key, w.by = key, by
				return nil
			}
			if !errors.As(err, &refused) {
				return nil // a bound must not stop the service that it protects
			}
		}
	}
	return &BusyError{After: time.Second, Walk: true}
}

// end gives the place back. If that fails, time does.
func (w *walk) end() {
	w.once.Do(func() {}) // a walk that has not begun by now begins no more
	if w.by == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = w.ts.Write(ctx, store.Op{
		Kind: store.Delete, Key: w.key, If: []store.Cond{{Test: store.Equal, Attr: attrBy, Value: w.by}},
	})
}
