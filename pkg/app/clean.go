package app

import (
	"context"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Drain is how long after its deletion a tenant is emptied for the last time: longer than any request lives that was
// let in before.
const Drain = 35 * time.Second

// Wake says what an item that wakes the background asks for.
type Wake struct {
	Tenant  string
	Deleted bool // the tenant is to be emptied
	// its events and notices are to be delivered; else, where neither is set, its open work is to be rolled forward
	Tells bool
}

// WakeOf reads a Wake from the key of an item that carries the attribute `wake`; false where it is none of ours.
func WakeOf(pk, sk string) (Wake, bool) {
	if pk == store.TenantsPK {
		return Wake{Tenant: sk, Deleted: true}, true
	}
	rest, ok := strings.CutPrefix(pk, "T#")
	if !ok {
		return Wake{}, false
	}
	id, partition, _ := strings.Cut(rest, "#")
	switch keys := store.KeysOf(id); {
	case id == "":
		return Wake{}, false
	case partition == "P":
		return Wake{Tenant: id}, true
	case pk == keys.Tenant().PK && (strings.HasPrefix(sk, keys.EventPrefix().SK) ||
		strings.HasPrefix(sk, keys.NoticePrefix().SK)):
		return Wake{Tenant: id, Tells: true}, true
	}
	return Wake{}, false
}

// Cleaner does what is left to the background: in AWS for the stream function, locally for a goroutine.
type Cleaner struct {
	Tenants   *tenant.Service
	Directory *directory.Directory
	// Delivery takes events and notices.
	Delivery tenant.Delivery
	// Drain is waited before a deleted tenant's last emptying.
	Drain time.Duration
}

// Clean does what wake asks for. It can be run twice, in two places at once, and again after it was killed anywhere.
func (c Cleaner) Clean(ctx context.Context, wake Wake) error {
	if wake.Tells {
		// What fails here is logged, and tried again by the hourly run: a mail system that is down must not hold up the
		// stream.
		_ = c.Tenants.Deliver(ctx, wake.Tenant, c.Delivery)
		return nil
	}
	if !wake.Deleted {
		return c.Directory.RollForward(ctx, wake.Tenant)
	}
	deleting, err := c.Tenants.IsDeleting(ctx, wake.Tenant)
	if err != nil || !deleting {
		return err
	}
	if err := c.Directory.Erase(ctx, wake.Tenant); err != nil {
		return err
	}
	// A request that was let in before the deletion may still write. Nothing does after the pause.
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(c.Drain):
	}
	if err := c.Directory.Erase(ctx, wake.Tenant); err != nil {
		return err
	}
	return c.Tenants.Finish(ctx, wake.Tenant)
}
