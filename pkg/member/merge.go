package member

import (
	"context"
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/publish"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
)

// living reads a member who was not removed; a *Refused 404 if there is none.
func (s *Service) living(ctx context.Context, t Tenant, id string) (record.Member, error) {
	m, found, err := s.publisher.Get(ctx, t, id)
	if err == nil && (!found || m.Status == record.Removed) {
		err = record.Refuse(http.StatusNotFound, "There is no member %q.", id)
	}
	return m, err
}

// begin refuses a change by hand of a member who is not there, or about whom the precondition of ctx does not hold. The
// transaction of the change asks again; but what is refused here has written nothing.
func (s *Service) begin(ctx context.Context, t Tenant, id string) error {
	m, err := s.living(ctx, t, id)
	if err != nil {
		return err
	}
	return precondition.Of(ctx, func() any { return m })
}

// Merge has a member take the place of another, as a return does: the other one is removed with replacedBy, and
// its user is not evaluated any more. The replaced member may have left already, as long as a return would find
// it. A *Refused 404 says that one of them is not there, 409 that the one who stays has no user.
func (s *Service) Merge(ctx context.Context, t Tenant, id, into string) (record.Member, error) {
	if id == into {
		return record.Member{}, record.Refuse(http.StatusBadRequest, "A member can't be merged into itself.")
	}
	if id == "" {
		return record.Member{}, record.Refuse(http.StatusNotFound, "There is no member %q.", id)
	}
	m, _, err := s.publisher.Get(ctx, t, id)
	if err == nil {
		err = precondition.Of(ctx, func() any { return m })
	}
	if err != nil {
		return record.Member{}, err
	}
	if _, err := s.living(ctx, t, into); err != nil {
		return record.Member{}, err
	}
	if err := s.publisher.Edit(ctx, t, publish.Job{Ids: []string{id, into}, Merge: [2]string{id, into}}); err != nil {
		return record.Member{}, err
	}
	return s.living(ctx, t, into)
}

// inviteFor is the time for which one request invites members.
const inviteFor = 10 * time.Second

// invitations are those that one request makes.
type invitations struct {
	at   time.Time
	done int // published
}

// invite is an edit: it invites a member who is active and never was invited.
func (i *invitations) invite(_ context.Context, c *publish.Change) error {
	if m := c.Member(); m.Status == mapping.Active && m.InvitedAt.IsZero() {
		m.InvitedAt = i.at
		c.Tell(record.EventInvitationDue)
		c.Then(func() { i.done++ })
	}
	return nil
}

func (s *Service) invitations() *invitations {
	return &invitations{at: s.o.Now().UTC()}
}

func (i *invitations) job(ids []string) publish.Job {
	edits := map[string]publish.Edit{}
	for _, id := range ids {
		edits[id] = i.invite
	}
	return publish.Job{Ids: ids, Edits: edits}
}

// Invite sends a member's event invitation.due, if the member is active and it was never sent. It returns how many
// were sent: 0 or 1. A *Refused 404 says that there is no such member.
func (s *Service) Invite(ctx context.Context, t Tenant, id string) (int, error) {
	if err := s.begin(ctx, t, id); err != nil {
		return 0, err
	}
	i := s.invitations()
	err := s.publisher.Edit(ctx, t, i.job([]string{id}))
	return i.done, err
}

// InviteAll invites the members that pass a filter, as Invite does, and returns how many it invited. more says
// that the time was not enough for all: call it again. The error is a *scim.Error 400 if the filter is not valid.
func (s *Service) InviteAll(ctx context.Context, t Tenant, text string) (n int, more bool, err error) {
	var l record.Filter
	if err := l.Parse(text); err != nil {
		return 0, false, err
	}
	l.Otherwise(record.ByStatus, string(mapping.Active))
	l.Also = func(m record.Member) bool { return m.Status == mapping.Active && m.InvitedAt.IsZero() }
	ts := s.store.Tenant(t.ID)
	i := s.invitations()
	for after, until := "", s.o.Now().Add(inviteFor); ; {
		var page record.List
		if err := l.Walk(ctx, ts, after, 4*publish.PeopleAtOnce, &page); err != nil {
			return i.done, false, err
		}
		ids := make([]string, len(page.Members))
		for n, m := range page.Members {
			ids[n] = m.ID
		}
		if err := s.publisher.Edit(ctx, t, i.job(ids)); err != nil {
			return i.done, false, err
		}
		if after = page.Next; after == "" || s.o.Now().After(until) {
			return i.done, after != "", nil
		}
	}
}
