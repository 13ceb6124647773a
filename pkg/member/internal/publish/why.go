package publish

import (
	"context"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/explain"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/pass"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Why explains a member: the status, each assignment with its sources, and the assignments that rules would give
// but do not. It publishes the member first, so that it explains its present state. found is false if it was never
// published.
func (s *Publisher) Why(ctx context.Context, t policies.Tenant, id string) (why scim.Object, found bool, err error) {
	m, found, err := s.Get(ctx, t, id)
	if err != nil || !found {
		return nil, false, err
	}
	p, err := s.gather(ctx, t, []string{id})
	if err != nil {
		return nil, false, err
	}
	why, err = s.explain(ctx, p, func(context.Context) (record.Member, error) { return m, nil })
	return why, err == nil, err
}

// Explained returns a member as Get does, and why it is so as Why does. It publishes the member first if it is marked.
// Everything is read at the same time, so that a publication that ends meanwhile may be missing.
func (s *Publisher) Explained(ctx context.Context, t policies.Tenant, id string) (
	m record.Member, why scim.Object, found bool, err error,
) {
	if id == "" {
		return m, nil, false, nil
	}
	var (
		p      *publication
		marked bool
	)
	g, within := task.WithContext(ctx)
	g.Go(func() (err error) { marked, err = s.pending(within, t, id); return err })
	g.Go(func() (err error) { p, err = s.gather(within, t, []string{id}); return err })
	if err := g.Wait(); err != nil {
		return m, nil, false, err
	}
	if marked {
		if m, found, err = s.Get(ctx, t, id); err != nil || !found {
			return m, nil, false, err
		}
		if p, err = s.gather(ctx, t, []string{id}); err != nil {
			return m, nil, false, err
		}
		why, err = s.explain(ctx, p, func(context.Context) (record.Member, error) { return m, nil })
		return m, why, err == nil, err
	}
	old := p.subjects[0].old
	if old == nil || old.Forgotten(s.o.Now()) {
		return m, nil, false, nil
	}
	why, err = s.explain(ctx, p, func(ctx context.Context) (record.Member, error) {
		m = *old
		m.Assignments = slices.Clone(old.Assignments)
		if m.Manager != nil {
			manager := *m.Manager
			m.Manager = &manager
		}
		return m, s.Join(ctx, t, []record.Member{m})
	})
	return m, why, err == nil, err
}

// pending reports whether a marker may stand for a member.
func (s *Publisher) pending(ctx context.Context, t policies.Tenant, id string) (bool, error) {
	if t.Silent {
		return false, nil
	}
	var (
		many []marker.Marker
		own  []store.Item
		ts   = s.store.Tenant(t.ID)
	)
	g, ctx := task.WithContext(ctx)
	g.Go(func() (err error) { many, err = pass.Wide(ctx, ts); return err })
	g.Go(func() (err error) { own, err = ts.Get(ctx, ts.Marker(string(marker.User), id)); return err })
	if err := g.Wait(); err != nil {
		return false, err
	}
	return len(many) > 0 || own[0].Attrs != nil, nil
}

// explain explains the member that named returns by what was gathered about it.
func (s *Publisher) explain(
	ctx context.Context, p *publication, named func(context.Context) (record.Member, error),
) (scim.Object, error) {
	sub := p.subjects[0]
	var (
		m     record.Member
		outer []directory.GroupOf
	)
	g, within := task.WithContext(ctx)
	g.Go(func() (err error) { m, err = named(within); return err })
	g.Go(func() error { return s.facts(within, p) })
	g.Go(func() (err error) { outer, err = s.outer(within, p, sub); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, g := range outer {
		sub.facts.Nested = append(sub.facts.Nested, s.policies.Matches(p.policy, g))
	}
	if err := s.evaluate(ctx, p, nil); err != nil {
		return nil, err
	}
	return explain.Of(explain.Facts{
		Member: m, Result: sub.result, Facts: sub.facts, There: sub.person.Doc != nil,
	}), nil
}

// outer reads the groups around a member's groups. They give nothing, so that only explanations read them.
func (s *Publisher) outer(ctx context.Context, p *publication, sub *subject) ([]directory.GroupOf, error) {
	ids := make([]string, len(sub.person.Groups))
	for i, g := range sub.person.Groups {
		ids[i] = g.ID
	}
	outer, err := s.o.Directory.GroupsHolding(ctx, p.t.ID, ids)
	return slices.DeleteFunc(outer, func(g directory.GroupOf) bool { return slices.Contains(ids, g.ID) }), err
}
