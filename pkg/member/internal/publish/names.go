package publish

import (
	"context"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Join adds the names under which targets, groups and managers are shown now.
func (s *Publisher) Join(ctx context.Context, t policies.Tenant, members []record.Member) error {
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
	var targets mapping.Targets
	g, within := task.WithContext(ctx)
	g.Go(func() (err error) { targets, err = record.TargetsOf(within, ts, wanted); return err })
	g.Go(func() error { return s.groupNames(within, t, groups) })
	g.Go(func() error { return s.managerNames(within, t, managers) })
	if err := g.Wait(); err != nil {
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
func (s *Publisher) groupNames(ctx context.Context, t policies.Tenant, names map[string]string) error {
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
func (s *Publisher) managerNames(ctx context.Context, t policies.Tenant, names map[string]string) error {
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
