package member

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Policy reads the tenant's policy as it was saved.
func (s *Service) Policy(ctx context.Context, t Tenant) (PolicyDocument, error) {
	return s.policies.Policy(ctx, t)
}

// SavePolicy puts a policy in the place of the present one, and marks everybody. The error is mapping.Faults or a
// *scim.Error 400 if the document is not a valid policy; ErrVersion if expected is not negative and not the
// present version; ErrTenantChanged if the tenant is not the one that was read.
func (s *Service) SavePolicy(
	ctx context.Context, t Tenant, document []byte, expected int64,
) (saved PolicyDocument, warnings []mapping.Warning, err error) {
	return s.policies.Save(ctx, t, document, expected)
}

// CheckTypes decides whether a tenant's resource types may change to next: its saved policy has to go with them. The
// error is then a *PolicyConflict. It is a tenant.CheckTypes.
func (s *Service) CheckTypes(ctx context.Context, tenantID string, old, next *schema.Types) error {
	return s.policies.CheckTypes(ctx, tenantID, old, next)
}

// PolicyStatus reads the progress of applying the policy.
func (s *Service) PolicyStatus(ctx context.Context, t Tenant) (PolicyStatus, error) {
	return s.policies.PolicyStatus(ctx, t)
}

// Rehearse evaluates a page of people with a policy that is not saved, and compares the results with the published
// members. Nothing is written. Errors are those of SavePolicy, and a *Refused 400 for an invalid cursor.
func (s *Service) Rehearse(ctx context.Context, t Tenant, document []byte, cursor string) (Rehearsal, error) {
	return s.publisher.Rehearse(ctx, t, document, cursor)
}

// Get publishes a member and returns it as it is then. found is false if it was never published, or was removed
// more than record.KeptRemoved ago.
func (s *Service) Get(ctx context.Context, t Tenant, id string) (m record.Member, found bool, err error) {
	return s.publisher.Get(ctx, t, id)
}

// Why explains a member: the status, each assignment with its sources, and the assignments that rules would give
// but do not. It publishes the member first. found is false if it was never published.
func (s *Service) Why(ctx context.Context, t Tenant, id string) (why scim.Object, found bool, err error) {
	return s.publisher.Why(ctx, t, id)
}

// Explained is Get and Why at the price of one, for a page: it reads everything at the same time, so that a publication
// that ends meanwhile may be missing.
func (s *Service) Explained(ctx context.Context, t Tenant, id string) (
	m record.Member, why scim.Object, found bool, err error,
) {
	return s.publisher.Explained(ctx, t, id)
}

// Erase removes a person from the members and the log, with the members whose place this one took. done is false
// if entries of the log are left; the publisher removes the person from these later. It can be repeated. The error
// is a *Refused: 404 if there is no such member, 409 if a SCIM user with the id lives.
func (s *Service) Erase(ctx context.Context, t Tenant, id string) (done bool, err error) {
	return s.publisher.Erase(ctx, t, id)
}

// Publish works the markers of a tenant until there are none or the time is up. It reports whether any are left.
func (s *Service) Publish(ctx context.Context, t Tenant, most time.Duration) (left bool, err error) {
	return s.publisher.Publish(ctx, t, most)
}

// Fresh runs read, and looks at the same time whether anything is marked. If so it publishes as Publish does, and runs
// read again. left reports whether any markers are left.
func (s *Service) Fresh(
	ctx context.Context, t Tenant, most time.Duration, read func(context.Context) error,
) (left bool, err error) {
	var page store.Page
	g, within := task.WithContext(ctx)
	g.Go(func() (err error) {
		ts := s.store.Tenant(t.ID)
		page, err = ts.Query(within, store.Query{PK: ts.MarkerPrefix("").PK, Select: store.KeysOnly, Limit: 1})
		return err
	})
	g.Go(func() error { return read(within) })
	if err := g.Wait(); err != nil || len(page.Items) == 0 {
		return false, err
	}
	if left, err = s.publisher.Publish(ctx, t, most); err != nil && !left {
		return false, err
	}
	return left, read(ctx)
}

// Work works the markers of a tenant as Publish does. If that takes long, it wakes itself again for the rest.
func (s *Service) Work(ctx context.Context, t Tenant) error { return s.publisher.Work(ctx, t) }

// Sweep asks every tenant for markers, once in 24 hours, and wakes the publication of those that have any. visit, if
// not nil, gets each entry of the list of tenants as well. It stops if until is over; the next call goes on.
func (s *Service) Sweep(ctx context.Context, visit func(context.Context, store.Item), until func() bool) error {
	return s.publisher.Sweep(ctx, visit, until)
}
