package member

import (
	"context"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
)

// NamedFilter is a filter of List with the condition that displayName or userName begins with a name, upper or lower
// case; "" is no condition. The error is a *scim.Error 400 if the filter is not valid.
func NamedFilter(text, name string) (string, error) {
	if name == "" {
		return text, nil
	}
	quoted := string(scim.AppendJSON(nil, name))
	begins := "(displayName sw " + quoted + " or userName sw " + quoted + ")"
	if strings.TrimSpace(text) == "" {
		return begins, nil
	}
	_, err := filter.Parse(text, scim.Dialect{}) // else parentheses of the text could pair with those around it
	return "(" + text + ") and " + begins, err
}

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
