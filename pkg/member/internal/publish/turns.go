package publish

import (
	"context"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// turns makes the publications of one tenant in this process take turns: at the same time they would conflict at
// the head of the log. Readers who wait for the next turn wait together, and one publication publishes their
// members.
type turns struct {
	turn chan struct{} // holds one token: the turn
	next *party        // who waits for the next turn; guarded by publisher.mu
}

// party are members that one publication publishes together.
type party struct {
	ids  []string
	done chan struct{} // closed when err is set
	err  error
}

// partyFor bounds a publication on behalf of several readers, of whom the first may go away.
const partyFor = 2 * record.ContendFor

func (s *Publisher) turnsOf(tenantID string) *turns {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.turns[tenantID]
	if r == nil {
		r = &turns{turn: make(chan struct{}, 1)}
		s.turns[tenantID] = r
	}
	return r
}

// Alone calls do while nobody else in this process publishes members of the tenant.
func (s *Publisher) Alone(ctx context.Context, tenantID string, do func() error) error {
	r := s.turnsOf(tenantID)
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.turn }()
	return do()
}

// together publishes a member in one go with those that others ask for at the same time.
func (s *Publisher) together(ctx context.Context, t policies.Tenant, id string) error {
	r := s.turnsOf(t.ID)
	s.mu.Lock()
	p, leads := r.next, r.next == nil
	if leads {
		p = &party{done: make(chan struct{})}
		r.next = p
	}
	p.ids = append(p.ids, id)
	s.mu.Unlock()
	if leads {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), partyFor)
		defer cancel()
		p.err = task.Do(func() error {
			return s.Alone(ctx, t.ID, func() error { return s.people(ctx, t, Job{Ids: s.close(r, p), ahead: true}) })
		})
		s.close(r, p)
		close(p.done)
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends the gathering of a party, and returns its members, each once.
func (s *Publisher) close(r *turns, p *party) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.next == p {
		r.next = nil
	}
	return slices.Compact(slices.Sorted(slices.Values(p.ids)))
}
