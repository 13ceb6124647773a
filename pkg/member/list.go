package member

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
)

// List answers a page of members that pass a filter, behind an id. Members that were removed are left out unless the
// filter names the status. The error is a *scim.Error 400 if the filter is none.
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
	return out, s.join(ctx, t, out.Members)
}

// join adds the names under which targets, groups and managers are shown now.
func (s *Service) join(ctx context.Context, t Tenant, members []record.Member) error {
	ts := s.store.Tenant(t.ID)
	wanted, groups, managers := map[mapping.TargetKey]bool{}, map[string]string{}, map[string]string{}
	for _, m := range members {
		for _, a := range m.Assignments {
			if wanted[a.TargetKey] = true; a.Kind == mapping.KindGroup {
				groups[a.Name] = ""
			}
		}
		if m.Manager != nil && m.Manager.ID != "" {
			managers[m.Manager.ID] = ""
		}
	}
	targets, err := record.TargetsOf(ctx, ts, wanted)
	if err != nil {
		return err
	}
	if err := s.groupNames(ctx, t, groups); err != nil {
		return err
	}
	if err := s.managerNames(ctx, t, managers); err != nil {
		return err
	}
	for _, m := range members {
		for i := range m.Assignments {
			a := &m.Assignments[i]
			if a.DisplayName = targets[a.TargetKey].DisplayName; a.DisplayName == "" && a.Kind == mapping.KindGroup {
				a.DisplayName = groups[a.Name]
			}
		}
		if m.Manager != nil {
			m.Manager.DisplayName = managers[m.Manager.ID]
		}
	}
	return nil
}

// groupNames fills in the displayNames of groups by their ids.
func (s *Service) groupNames(ctx context.Context, t Tenant, names map[string]string) error {
	if len(names) == 0 {
		return nil
	}
	groups, err := s.o.Directory.GroupsOf(ctx, t.ID, slices.Sorted(maps.Keys(names)))
	for _, g := range groups {
		names[g.ID], _ = g.Doc["displayName"].(string)
	}
	return err
}

// managerNames fills in the displayNames of managers by their ids, as they were published; of those who were not
// published yet, as their users have them.
func (s *Service) managerNames(ctx context.Context, t Tenant, names map[string]string) error {
	if err := record.MemberNames(ctx, s.store.Tenant(t.ID), names); err != nil {
		return err
	}
	var unknown []string
	for id, name := range names {
		if name == "" {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	people, err := s.o.Directory.People(ctx, t.ID, unknown)
	for _, person := range people {
		names[person.ID], _ = person.Doc["displayName"].(string)
	}
	return err
}

// ErrVersion says that a document has another version than the one that was expected.
var ErrVersion = errors.New("member: another version")
