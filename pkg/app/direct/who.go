package direct

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// noted carries out a command, and has it in the operator's log, and in the tenant's if there is one: before, so that
// nobody does it without a trace, and after, with its result. do returns the tenant, which may be known only then.
func (t Table) noted(
	ctx context.Context, st *store.Store, command, tenantID string, do func() (tenantID string, err error),
) error {
	journal := provlog.New(st, provlog.Options{Now: time.Now})
	facts := provlog.AdminFacts{
		ID: journal.NewID(), RequestID: rand.Text(), Caller: local.Caller(ctx, t.options()), Method: "command",
		Path: command, Object: tenantID, Outcome: provlog.Started,
	}
	if err := note(ctx, st, journal, facts); err != nil {
		return err
	}
	id, err := do()
	if facts.Outcome = provlog.Done; err != nil {
		facts.Outcome = provlog.Failed
	}
	if id != "" {
		facts.Object = id
	}
	return errors.Join(err, note(ctx, st, journal, facts))
}

// note writes the entry of a command.
func note(ctx context.Context, st *store.Store, journal *provlog.Journal, f provlog.AdminFacts) error {
	if err := journal.Operator(ctx, f); err != nil || f.Object == "" {
		return err
	}
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: time.Now})
	t, err := tenants.Get(ctx, f.Object)
	if err != nil {
		return nil // it is not there, or has a fault that doctor will name; the operator's log has the command
	}
	return journal.Admin(ctx, t, f)
}
