package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// Report is a change of data of a tenant, with its events and notices.
type Report struct {
	// Op is the change, if there is one, and Also more of it. If a condition does not hold, nothing at all is written.
	Op   store.Op
	Also []store.Op
	// Events have kind, data and, if they are not about the tenant as a whole, the subject.
	Events []event.Event
	// Domains, if not nil, are the verified domains of the tenant from now on, as a domain.Set.
	Domains *string
	// Notices are at most one of each kind. They have the kind, the domains if they are about some, and the recipients
	// if these are not the tenant's. Period is a number that no other notice of these kinds has; it is for those
	// without an id.
	Notices []notice.Notice
	Period  int64
}

// Report writes the change, the events and the notices in one transaction, and causes their delivery. store.ErrStale
// if the condition of the change fails, or the tenant was changed in between; ErrNotFound if there is no active
// tenant.
func (s *Service) Report(ctx context.Context, tenantID string, p Report) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	r, err := s.read(ctx, tenantID)
	if err != nil {
		return err
	}
	if r.Life != record.Active {
		return ErrNotFound
	}
	now := s.o.Now()
	for _, e := range p.Events {
		e.Time = now
		r.Out.Events = append(r.Out.Events, e)
	}
	if p.Domains != nil {
		r.Domains = *p.Domains
	}
	for _, n := range p.Notices {
		if n.ID == "" {
			n.ID = notice.ID("", n.Kind, fmt.Sprintf("%013d", p.Period))
		}
		r.Notify(now, n)
	}
	if r.Out.With, r.Out.Hint = append(r.Out.With, p.Also...), true; p.Op.PK != "" {
		r.Out.With = append(r.Out.With, p.Op)
	}
	err = s.write(ctx, tenantID, r)
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return store.ErrStale
	}
	return err
}
