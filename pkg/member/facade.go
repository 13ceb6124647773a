package member

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/publish"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// The types of other packages that callers see; they are described there.
type (
	Options        = publish.Options
	Rehearsal      = publish.Rehearsal
	Difference     = publish.Difference
	Tenant         = policies.Tenant
	PolicyDocument = policies.PolicyDocument
	PolicyConflict = policies.PolicyConflict
	PolicyStatus   = policies.PolicyStatus
	Member         = record.Member
	Status         = record.Status
	List           = record.List
	Target         = record.Target
	Account        = record.Account
	Duplicate      = record.Duplicate
	Refused        = record.Refused
)

// The constants of these types.
const (
	Unbounded       = record.Unbounded
	MaxAccountBytes = record.MaxAccountBytes
)

// Errors of a Service.
var (
	// ErrVersion says that a document has another version than the one that was expected.
	ErrVersion = policies.ErrVersion
	// ErrTenantChanged says that a tenant was changed since it was read, perhaps its schemas, or is gone: read it
	// again.
	ErrTenantChanged = policies.ErrTenantChanged
)

// TenantOf reads the properties of a tenant that publishing needs; the error is tenant.ErrNotFound if there is
// none.
func TenantOf(ctx context.Context, tenants *tenant.Service, id string) (Tenant, error) {
	return policies.TenantOf(ctx, tenants, id)
}

// TenantFrom is TenantOf of a tenant that was read already.
func TenantFrom(ctx context.Context, tenants *tenant.Service, t tenant.Tenant) (Tenant, error) {
	return policies.TenantFrom(ctx, tenants, t)
}
