package member

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
)

// List returns a page of members that pass a filter, after an id. Removed members are left out unless the filter
// names the status. The error is a *scim.Error 400 if the filter is not valid.
func (s *Service) List(ctx context.Context, t Tenant, text, after string, count int) (record.List, error) {
	l := record.Filter{Now: s.o.Now()}
	if err := l.Parse(text); err != nil {
		return record.List{}, err
	}
	ts := s.store.Tenant(t.ID)
	var out record.List
	if err := l.Walk(ctx, ts, after, count, &out); err != nil {
		return record.List{}, err
	}
	return out, s.publisher.Join(ctx, t, out.Members)
}
