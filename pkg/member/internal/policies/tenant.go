package policies

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Tenant holds the properties of a tenant that publishing needs.
type Tenant struct {
	ID string
	// Types are the tenant's resource types; TypesVersion changes whenever they do.
	Types        *schema.Types
	TypesVersion string
	// Version is that of the tenant; only saving a policy asks for it.
	Version int64
	// Silent says that the tenant publishes no members: reading publishes nothing either.
	Silent bool
	// Retention is the time for which events are kept; 0: always.
	Retention time.Duration
}

// TenantOf reads the properties of a tenant that publishing needs; the error is tenant.ErrNotFound if there is
// none.
func TenantOf(ctx context.Context, tenants *tenant.Service, id string) (Tenant, error) {
	account, err := tenants.Get(ctx, id)
	if err != nil {
		return Tenant{}, err
	}
	return TenantFrom(ctx, tenants, account)
}

// TenantFrom is TenantOf of a tenant that was read already.
func TenantFrom(ctx context.Context, tenants *tenant.Service, account tenant.Tenant) (Tenant, error) {
	types, err := tenants.Types(ctx, account)
	return Tenant{
		ID: account.ID, Types: types, TypesVersion: account.Schemas, Silent: !account.PublishesMembers(),
		Retention: account.Settings.EventRetention(), Version: account.Version(),
	}, err
}
