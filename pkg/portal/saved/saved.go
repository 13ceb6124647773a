// Package saved reads the policy of a tenant for the pages that show and change it, and describes the faults of a
// policy in the language of the page.
package saved

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Policy is a tenant's policy: the document, compiled, and its version. Without a policy the document is empty, and the
// version 0.
type Policy struct {
	Doc      scim.Object
	Compiled *mapping.Policy
	Version  int64
}

// Read reads the policy of a tenant.
func Read(ctx context.Context, members *member.Service, t member.Tenant) (Policy, error) {
	p, err := members.Policy(ctx, t)
	if err != nil {
		return Policy{}, err
	}
	if p.Version == 0 {
		return Policy{scim.Object{}, mapping.Default(t.Types), 0}, nil
	}
	doc, err := scim.ParseObject(p.Document)
	if err != nil {
		return Policy{}, err
	}
	compiled, _, err := mapping.Parse(p.Document, t.Types)
	return Policy{doc, compiled, p.Version}, err
}

// Of reads the tenant of a visit as publishing needs it, and its policy.
func Of(v *frame.Visit, tenants *tenant.Service, members *member.Service) (t member.Tenant, p Policy, err error) {
	if t, err = member.TenantFrom(v.R.Context(), tenants, v.Tenant); err != nil {
		return t, p, err
	}
	p, err = Read(v.R.Context(), members, t)
	return t, p, err
}
