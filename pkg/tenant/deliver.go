package tenant

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// Deliver passes the pending notices of a tenant to send. Those that fail stay for the next call, and the error is
// returned. It may be killed anywhere. Each notice is passed once, except if the process died before it recorded the
// result: then it is passed again after 16 minutes, with the same ID.
func (s *Service) Deliver(ctx context.Context, tenantID string, send Delivery) error {
	r, err := s.read(ctx, tenantID)
	if err != nil || r.Life != record.Active || r.Outbox == 0 {
		return present(err)
	}
	mark := r.Outbox
	if err := s.deliver(ctx, tenantID, send); err != nil {
		s.o.Log.WarnContext(ctx, "delivery will be tried again", "tenant", tenantID, "error", err)
		return err
	}
	_, err = s.updateFrom(ctx, tenantID, r, func(r *record.Record) error {
		if !r.Delivered(mark) {
			return errUnchanged
		}
		return nil
	})
	return present(err)
}

// deliver is Deliver for an active tenant. It does not record on the tenant that all was delivered. One goroutine of a
// process runs it for a tenant at a time.
func (s *Service) deliver(ctx context.Context, tenantID string, send Delivery) error {
	turn := &s.delivering[store.Hash(tenantID)%uint32(len(s.delivering))]
	turn.Lock()
	defer turn.Unlock()
	return s.queue.Send(ctx, tenantID, send)
}

// facts adds the facts of its text to a notice that is to be sent: the tenant and its tokens as they are now, which
// may be a day after the notice was written. ok is false if the notice is out of date.
func (s *Service) facts(
	ctx context.Context, tenantID string, n notice.Notice,
) (about notice.Tenant, full notice.Notice, ok bool, err error) {
	now := s.o.Now()
	r, err := s.read(ctx, tenantID)
	if err != nil || r.Outdated(n, now) {
		return about, n, false, err
	}
	t := r.Tenant(tenantID, now)
	about = notice.Tenant{ID: t.ID, Name: t.Name, IdP: t.IdP, NotKept: t.Settings.Token.Vault == VaultNone}
	if n.Kind.OfTenant() {
		return about, n, true, nil
	}
	if n.ClientID != "" {
		n.Token = notice.Token{ID: n.TokenID, ExpiresAt: n.ClientSecretEnds}
		return about, n, true, nil
	}
	used, err := s.lastUses(ctx, tenantID, record.TokenIDs(t.Tokens))
	if err != nil {
		return about, n, false, err
	}
	for i := range t.Tokens {
		t.Tokens[i].LastUsedAt = record.Unix(used[t.Tokens[i].ID])
	}
	n.ToCollect = s.toCollect(r, now)
	listed := func(id string) int { return slices.IndexFunc(t.Tokens, func(t Token) bool { return t.ID == id }) }
	if n.TokenID != "" {
		n.Token = notice.Token{ID: n.TokenID, ExpiresAt: n.TokenEnds} // if it is not listed any more
	}
	if i := listed(n.TokenID); i >= 0 {
		n.Token = t.Tokens[i].ForText()
	}
	next := -1
	if own := slices.IndexFunc(r.Tokens, func(t rotation.Token) bool { return t.ID == n.TokenID }); own >= 0 {
		next = r.Successor(own, now)
	} else if live := r.Live(now); len(live) > 0 {
		next = live[len(live)-1]
	}
	if next >= 0 {
		n.Successor = t.Tokens[listed(r.Tokens[next].ID)].ForText()
	}
	return about, n, true, nil
}

// tellWith writes an event of a tenant together with op.
func (s *Service) tellWith(ctx context.Context, tenantID string, e event.Event, op store.Op) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	_, err := s.update(ctx, tenantID, func(r *record.Record) error {
		r.Out.Events, r.Out.With = []event.Event{e}, []store.Op{op}
		return nil
	})
	return err
}

// MarkNotice records the fate of a sent notice, notice.Bounced or notice.Failed, in one transaction with the event
// about it. ErrNotFound if there is no such notice; marking it again changes nothing.
func (s *Service) MarkNotice(ctx context.Context, tenantID, noticeID string, state notice.State) error {
	if !record.ValidID(tenantID) || len(noticeID) > maxNoticeID {
		return ErrNotFound
	}
	err := s.queue.Mark(ctx, tenantID, noticeID, state)
	if errors.Is(err, notice.ErrNotFound) {
		return ErrNotFound
	}
	return err
}

// maxNoticeID bounds the ids of notices, which come back from mail systems.
const maxNoticeID = 200

// Notices lists the tenant's notices of the last 400 days, oldest first.
func (s *Service) Notices(ctx context.Context, tenantID string) ([]notice.Notice, error) {
	if _, err := s.Get(ctx, tenantID); err != nil {
		return nil, err
	}
	return s.queue.List(ctx, tenantID)
}

// TestNotice queues a test notice to the tenant's recipients, so that they see whether it arrives; or notice.ErrTests.
func (s *Service) TestNotice(ctx context.Context, tenantID string) (n notice.Notice, err error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	_, err = s.update(ctx, tenantID, func(r *record.Record) error {
		now := s.o.Now()
		if err := s.queue.Room(ctx, tenantID, now); err != nil {
			return err
		}
		id := notice.TestID(now, record.Random(record.Base36, 10))
		r.Notify(now, notice.Notice{Kind: notice.Test, ID: id})
		n = r.Out.Notices[0]
		return nil
	})
	return n, err
}

// TryNotice is TestNotice for the tenant's people. A second one in the same five minutes is a *ConflictError.
func (s *Service) TryNotice(ctx context.Context, tenantID string) error {
	id := notice.TestID(s.o.Now().Truncate(5*time.Minute), "portal")
	err := store.Retry(ctx, time.Second/4, func() error { // the tenant may change in between
		return s.Report(ctx, tenantID, Report{Notices: []notice.Notice{{Kind: notice.Test, ID: id}}})
	})
	if !errors.Is(err, store.ErrStale) {
		return err
	}
	return &ConflictError{Detail: "A test notice was sent a few minutes ago. Wait five minutes and try again."}
}
