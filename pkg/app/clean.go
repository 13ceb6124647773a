package app

import (
	"context"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Drain is how long after its deletion a tenant is emptied for the last time: longer than any request lives that was
// let in before.
const Drain = 35 * time.Second

// Wake says what an item that wakes the background asks for.
type Wake struct {
	// Kind is a value of store.AttrWake.
	Kind string
	// Tenant is empty for store.WakeRotate.
	Tenant string
}

// WakeOf reads a Wake from the key of an item and its attribute wake. ok is false if the item is none of ours.
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

// Cleaner does what is left to the background: in AWS for the stream function, locally for a goroutine.
type Cleaner struct {
	Tenants   *tenant.Service
	Directory *directory.Directory
	Members   *member.Service
	// Delivery takes notices.
	Delivery tenant.Delivery
	// Deliver has the events of a tenant delivered; nil: somebody else sees to it.
	Deliver func(ctx context.Context, tenantIDs ...string) error
	// Drain is waited before a deleted tenant's last emptying.
	Drain time.Duration
}

// Clean does what wake asks for. It can be run twice, in two places at once, and again after it was killed anywhere.
func (c Cleaner) Clean(ctx context.Context, wake Wake) error {
	switch wake.Kind {
	case store.WakeTell:
		// What fails here is logged, and tried again by the hourly run: a mail system that is down must not hold up others.
		_ = c.Tenants.Deliver(ctx, wake.Tenant, c.Delivery)
		return nil
	case store.WakeDeleted:
		return c.Tenants.Erase(ctx, wake.Tenant, c.Drain, c.Directory.Erase)
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

// publish publishes what is marked in a tenant, if it is still there.
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
