// Package ending erases deleted tenants. Before it deletes a tenant's log, it announces the deletion to the log's
// destinations.
//
// A deletion marks the tenant, in one transaction. The rest is done here, in steps that each may be repeated:
//
//  1. wait until no request runs that was accepted before the deletion;
//  2. in one transaction: append tenant.deleted to the tenant's log, close the log, and note that (tenant.Told);
//  3. wait until each destination has that event, an hour at most; the delivery notes that by Heard;
//  4. empty all partitions of the tenant, and free its id.
//
// If a process dies between two steps, the tenant's item shows how far it came, and a later process goes on there. So
// the event is in the log once, with one id.
package ending

import (
	"context"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// patience is how long destinations have to get the last event.
const patience = time.Hour

// Empty removes the data that other packages keep of a tenant, whatever is left of it. It calls still before each
// removal of data that it has read, and stops if that returns false: another process has ended the deletion, and the id
// may have a new tenant.
type Empty func(ctx context.Context, id string, still func(context.Context) (bool, error)) error

// Options of a Service. Now and Empty are required.
type Options struct {
	Now   func() time.Time
	Empty Empty
	// Drain is the time from the deletion of a tenant until no request runs that was accepted before.
	Drain time.Duration
	// Alone says that no delivery runs: nobody has to be waited for.
	Alone bool
}

// Service erases tenants. It is safe for concurrent use.
type Service struct {
	store   *store.Store
	tenants *tenant.Service
	o       Options
}

// New creates a Service.
func New(st *store.Store, tenants *tenant.Service, o Options) *Service {
	return &Service{store: st, tenants: tenants, o: o}
}

// Erase goes on with the erasing of a deleted tenant, up to the end or to where it has to wait for the delivery. It
// does nothing if the tenant is not deleted. It may be killed anywhere, repeated and run in two processes at once;
// after a failure a later run of rotation causes it again.
func (s *Service) Erase(ctx context.Context, id string) error {
	e, err := s.tenants.Ending(ctx, id)
	if err == nil && e.Stage == tenant.Deleted {
		e, err = s.tell(ctx, e)
	}
	if errors.Is(err, tenant.ErrNotFound) {
		return nil
	}
	if err != nil || e.Stage == tenant.Told && !s.o.Alone && s.o.Now().Before(e.Since.Add(patience)) {
		return err
	}
	if err := s.o.Empty(ctx, id, func(ctx context.Context) (bool, error) { return s.still(ctx, id) }); err != nil {
		return err
	}
	if still, err := s.still(ctx, id); err != nil || !still {
		return err
	}
	return s.tenants.Finish(ctx, id)
}

// still reports whether a tenant is deleted but not yet gone.
func (s *Service) still(ctx context.Context, id string) (bool, error) {
	_, err := s.tenants.Ending(ctx, id)
	if errors.Is(err, tenant.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// tell writes the last event of a tenant, once nobody writes to its log any more, and returns the next stage.
func (s *Service) tell(ctx context.Context, e tenant.Ending) (tenant.Ending, error) {
	drained := time.NewTimer(min(s.o.Drain, s.o.Drain-s.o.Now().Sub(e.Since)))
	defer drained.Stop()
	select {
	case <-ctx.Done():
		return e, ctx.Err()
	case <-drained.C:
	}
	ts := s.store.Tenant(e.ID)
	err := store.Retry(ctx, time.Minute, func() (err error) {
		if e, err = s.tenants.Ending(ctx, e.ID); err != nil || e.Stage != tenant.Deleted {
			return err // another process was faster
		}
		items, err := ts.Get(ctx, ts.LogHead())
		if err != nil {
			return err
		}
		ops := eventlog.DecodeHead(items[0]).Close(ts.Keys, eventlog.Entry{
			Subject: event.OfTenant(e.ID), At: s.o.Now(), Events: []eventlog.Logged{{
				Type: string(event.TenantDeleted), Data: scim.Object{"deletedAt": scim.FormatTime(e.Since.UTC())},
			}},
		})
		return stale(s.tenants.Proceed(ctx, e, tenant.Told, e.Since.Add(patience), ops...))
	})
	if err != nil {
		return e, err
	}
	return s.tenants.Ending(ctx, e.ID)
}

// Last reports whether the log of a tenant is one that tenant.deleted ends and that is there only for its delivery.
func (s *Service) Last(ctx context.Context, id string) (bool, error) {
	e, err := s.tenants.Ending(ctx, id)
	if errors.Is(err, tenant.ErrNotFound) {
		return false, nil
	}
	return err == nil && e.Stage == tenant.Told, err
}

// Heard notes that all destinations have the log of a tenant for which Last was true, so that it is erased now.
func (s *Service) Heard(ctx context.Context, id string) error {
	return store.Retry(ctx, time.Minute, func() error {
		e, err := s.tenants.Ending(ctx, id)
		if errors.Is(err, tenant.ErrNotFound) || err == nil && e.Stage != tenant.Told {
			return nil // another process was faster
		}
		if err != nil {
			return err
		}
		return stale(s.tenants.Proceed(ctx, e, tenant.Heard, time.Time{}))
	})
}

// stale makes store.ErrStale of a condition that does not hold.
func stale(err error) error {
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return store.ErrStale
	}
	return err
}
