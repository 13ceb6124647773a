package limit

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// BusyError says that a tenant has used up its requests for now. After is the time to wait, at least a second.
type BusyError struct {
	After time.Duration
	// Walk says that too many requests that read a whole resource type are under way; other requests are admitted.
	Walk bool
}

// Error implements error.
func (e *BusyError) Error() string { return "limit: a tenant has to wait for " + e.After.String() }

// Service counts requests. A nil Service bounds nothing. It is safe for concurrent use.
type Service struct {
	store  *store.Store
	bounds Bounds
	now    func() time.Time

	mu      sync.Mutex
	tenants map[string]*share
	senders senders
}

// New returns a Service; nil if there is nothing to bound.
func New(s *store.Store, b Bounds, now func() time.Time) *Service {
	if b == (Bounds{}) {
		return nil
	}
	return &Service{store: s, bounds: b, now: now, tenants: map[string]*share{}}
}

// share is the number of requests that this process may give out of a tenant's window.
type share struct {
	mu     sync.Mutex
	window int64
	left   int
	full   bool // the window is used up, in all processes
}

// maxShares is the number of tenants that a process remembers; beyond it the process forgets all, and each begins with
// a free portion.
const maxShares = 10_000

func (s *Service) share(tenantID string) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, ok := s.tenants[tenantID]
	if !ok {
		if len(s.tenants) >= maxShares {
			clear(s.tenants)
		}
		sh = &share{}
		s.tenants[tenantID] = sh
	}
	return sh
}

// Take admits one request of a tenant with the settings set. It returns a *BusyError if none is left. A failure of the
// store admits the request: a bound must not stop the service that it protects.
func (s *Service) Take(ctx context.Context, tenantID string, set Rate) error {
	if s == nil {
		return nil
	}
	rate, now, sh := s.bounds.of(set), s.now(), s.share(tenantID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	length := rate.window()
	if window := now.UnixNano() / int64(length); window != sh.window {
		sh.window, sh.left, sh.full = window, rate.portion(), false
	}
	if sh.left == 0 && !sh.full {
		got, err := s.lease(ctx, s.store.Tenant(tenantID), sh.window, rate)
		if err != nil {
			return nil // see above
		}
		sh.left, sh.full = got, got == 0
	}
	if sh.left == 0 {
		end := time.Unix(0, (sh.window+1)*int64(length))
		return &BusyError{After: max(time.Second, end.Sub(now))}
	}
	sh.left--
	return nil
}

const attrTaken = "n"

// lease takes a portion of a window for this process, and returns 0 if none is left.
func (s *Service) lease(ctx context.Context, ts *store.TenantStore, window int64, rate Rate) (int, error) {
	portion := rate.portion()
	op := store.Op{
		Kind: store.Update, Key: ts.Window(window), Add: map[string]int64{attrTaken: int64(portion)},
		Set: store.Attrs{
			store.AttrSchema: store.SchemaVersion, store.AttrTTL: s.now().Add(rate.window() + time.Minute).Unix(),
		},
	}
	var refused *store.ConditionError
	for _, cond := range []store.Cond{
		{Test: store.Less, Attr: attrTaken, Value: int64(rate.Burst - portion + 1)},
		{Test: store.AttrAbsent, Attr: attrTaken},
		// Another process began the window in between.
		{Test: store.Less, Attr: attrTaken, Value: int64(rate.Burst - portion + 1)},
	} {
		op.If = []store.Cond{cond}
		err := ts.Write(ctx, op)
		if err == nil {
			return portion, nil
		}
		if !errors.As(err, &refused) {
			return 0, err
		}
		if taken, begun := refused.Failed[0].Attrs[attrTaken].(int64); begun && taken > int64(rate.Burst-portion) {
			break // none is left
		}
	}
	return 0, nil
}
