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

// The places of walks: their number for a tenant, the longest time that a process keeps one, and the number of pages
// of documents that a request reads without one, as for a list that begins at the first user.
const (
	walks     = 3
	walkTime  = time.Minute
	freePages = 8
)

const (
	attrBy    = "by"
	attrUntil = "until"
)

// Walks returns a context in which a walk over all documents of a type first takes a place of the tenant, and the
// function that releases the place. A walk that finds no free place fails with a *BusyError.
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

// begin takes a place before the first page that needs one, once for a request.
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
			if until, held := refused.Failed[0].Attrs[attrUntil].(int64); held && until >= now.UnixMilli() {
				break // another request has this place
			}
		}
	}
	return &BusyError{After: time.Second, Walk: true}
}

// end releases the place. If that fails, the place is free after its time.
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
