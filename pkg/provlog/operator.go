package provlog

import (
	"cmp"
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// operators is the shelf of the requests to the admin API that are of no tenant, such as those about the operator's
// webhooks, and of those that make a tenant or delete it: they are kept when the tenant is gone.
func (j *Journal) operators() shelf {
	return shelf{store.OperatorLog, cmp.Or(j.o.OperatorLog, tenant.Settings{}.LogRetention())}
}

// Operator writes the entry of a request to the admin API into the operator's log.
func (j *Journal) Operator(ctx context.Context, f AdminFacts) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	e := j.entry(f)
	return j.store.Write(ctx, e.put(j.operators()))
}

// ListOperator is List for the operator's log.
func (j *Journal) ListOperator(ctx context.Context, q Query) (Page, error) {
	return j.list(ctx, j.operators(), q)
}

// GetOperator is Get for the operator's log.
func (j *Journal) GetOperator(ctx context.Context, id string) (Entry, error) {
	return j.get(ctx, j.operators(), id)
}
