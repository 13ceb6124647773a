package app

import (
	"context"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/ending"
)

// Drain is the time from the deletion of a tenant until it is erased. No request that was accepted before the deletion
// runs that long.
const Drain = 35 * time.Second

// Wake is a request for background work, read from an item of the table.
type Wake struct {
	// Kind is a value of store.AttrWake.
	Kind string
	// Tenant is empty for store.WakeRotate.
	Tenant string
}

// WakeOf reads a Wake from the key of an item and its attribute wake. ok is false if the item asks for no work.
func WakeOf(key store.Key, kind string) (w Wake, ok bool) {
	switch kind {
	case store.WakeRotate:
		return Wake{Kind: kind}, true
	case store.WakeWork, store.WakeDeleted, store.WakeTell, store.WakePublish, store.WakeDeliver:
		id, ok := store.TenantOf(key)
		return Wake{Kind: kind, Tenant: id}, ok
	}
	return Wake{}, false
}

// Cleaner does the background work: in AWS for the stream function, locally for a goroutine.
type Cleaner struct {
	Tenants   *tenant.Service
	Directory *directory.Directory
	Members   *member.Service
	// Delivery takes notices.
	Delivery tenant.Delivery
	// Deliver starts the delivery of the events of tenants; nil if another process does it.
	Deliver func(ctx context.Context, tenantIDs ...string) error
	// Ending erases deleted tenants.
	Ending *ending.Service
}

// Clean does the work of wake. It can run twice, in two places at once, and again if it was killed at any point.
func (c Cleaner) Clean(ctx context.Context, wake Wake) error {
	switch wake.Kind {
	case store.WakeTell:
		// A failure is logged, and the hourly run tries again: a mail system that is down must not hold up others.
		_ = c.Tenants.Deliver(ctx, wake.Tenant, c.Delivery)
		return nil
	case store.WakeDeleted:
		return c.Ending.Erase(ctx, wake.Tenant)
	case store.WakeDeliver:
		if c.Deliver == nil {
			return nil
		}
		return c.Deliver(ctx, wake.Tenant)
	case store.WakeWork:
		return c.rollForward(ctx, wake.Tenant)
	case store.WakePublish:
		return c.publish(ctx, wake.Tenant)
	}
	return nil
}

// rollForward completes open work. Its writes mark members only if the tenant publishes them.
func (c Cleaner) rollForward(ctx context.Context, id string) error {
	t, err := c.Tenants.Get(ctx, id)
	if err != nil && !errors.Is(err, tenant.ErrNotFound) {
		return err
	}
	return c.Directory.RollForward(directory.WithOrigin(ctx, directory.Origin{Silent: !t.PublishesMembers()}), id)
}

// publish publishes the marked members of a tenant. It does nothing if the tenant is gone.
func (c Cleaner) publish(ctx context.Context, id string) error {
	t, err := member.TenantOf(ctx, c.Tenants, id)
	if errors.Is(err, tenant.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.Members.Work(ctx, t)
}
