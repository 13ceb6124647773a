package publish

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/pass"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Get publishes a member and returns it as it is then. found is false if it was never published, or was removed
// more than record.KeptRemoved ago.
func (s *Publisher) Get(ctx context.Context, t policies.Tenant, id string) (m record.Member, found bool, err error) {
	if id == "" {
		return record.Member{}, false, nil
	}
	ts := s.store.Tenant(t.ID)
	// A marker for many members may include this one. It is read first: it is deleted only after this one is marked.
	many, err := pass.Wide(ctx, ts)
	if err != nil {
		return record.Member{}, false, err
	}
	items, err := ts.Get(ctx, ts.Marker(string(marker.User), id))
	if err != nil {
		return record.Member{}, false, err
	}
	marked := ""
	if t.Silent {
		marked, _ = items[0].Attrs[record.AttrStamp].(string)
	} else if len(many) > 0 || items[0].Attrs != nil {
		known, err := s.passes.AdoptFirst(ctx, t, id, many)
		if err == nil && !known {
			return s.evaluated(ctx, t, id)
		}
		if err == nil {
			err = s.together(ctx, t, id)
		}
		if limit := (*store.LimitError)(nil); errors.As(err, &limit) { // nobody can publish it like this
			s.o.Log.ErrorContext(ctx, "member can't be published", "tenant", t.ID, "member", id, "error", err)
			return s.evaluated(ctx, t, id)
		}
		if errors.Is(err, store.ErrStale) || directory.IsBusy(err) {
			return s.evaluated(ctx, t, id)
		}
		if err != nil {
			return record.Member{}, false, err
		}
	}
	if items, err = ts.Get(ctx, ts.Published(id)); err != nil || items[0].Attrs == nil {
		return record.Member{}, false, err
	}
	if m, err = record.DecodeItem(items[0]); err != nil || m.Forgotten(s.o.Now()) {
		return record.Member{}, false, err
	}
	one := []record.Member{m}
	one[0].Marked = marked
	err = s.Join(ctx, t, one)
	return one[0], err == nil, err
}

// evaluated is a member as a publication would make it, if others are so busy that it can't.
func (s *Publisher) evaluated(ctx context.Context, t policies.Tenant, id string) (record.Member, bool, error) {
	p, err := s.examine(ctx, t, []string{id})
	if err != nil {
		return record.Member{}, false, err
	}
	sub := p.subjects[0]
	c, err := p.change(ctx, sub)
	switch {
	case err != nil:
		return record.Member{}, false, err
	case c != nil:
		c.next.Pending = true
		return c.next, true, nil
	case sub.old != nil:
		sub.old.Pending = true
		return *sub.old, true, nil
	}
	return record.Member{}, false, nil
}

// examine evaluates some people as a publication does, and writes nothing.
func (s *Publisher) examine(ctx context.Context, t policies.Tenant, ids []string) (*publication, error) {
	p, err := s.gather(ctx, t, ids)
	if err != nil {
		return nil, err
	}
	if err := s.facts(ctx, p); err != nil {
		return nil, err
	}
	return p, s.evaluate(ctx, p, nil)
}

// gather reads the policy, and what is known of some people.
func (s *Publisher) gather(ctx context.Context, t policies.Tenant, ids []string) (*publication, error) {
	p := &publication{}
	g, ctx := task.WithContext(ctx)
	g.Go(func() (err error) { p.policy, p.version, err = s.policies.Of(ctx, t); return err })
	g.Go(func() error { return s.known(ctx, t, p, ids) })
	return p, g.Wait()
}

// known reads the users and the members of a publication.
func (s *Publisher) known(ctx context.Context, t policies.Tenant, p *publication, ids []string) error {
	p.t, p.ts, p.now = t, s.store.Tenant(t.ID), s.o.Now().UTC()
	for _, id := range ids {
		p.subjects = append(p.subjects, &subject{id: id})
	}
	var people []directory.Person
	g, ctx := task.WithContext(ctx)
	g.Go(func() (err error) { people, err = s.o.Directory.People(ctx, t.ID, ids); return err })
	g.Go(func() error { return p.load(ctx) })
	if err := g.Wait(); err != nil {
		return err
	}
	for i, person := range people {
		p.subjects[i].person = person
	}
	return nil
}

// try is examine with a policy of any kind. carried is the number of seats that are taken beside.
func (s *Publisher) try(
	ctx context.Context, t policies.Tenant, p *publication, ids []string, carried map[mapping.TargetKey]int64,
) error {
	if err := s.known(ctx, t, p, ids); err != nil {
		return err
	}
	if err := s.facts(ctx, p); err != nil {
		return err
	}
	return s.evaluate(ctx, p, carried)
}
