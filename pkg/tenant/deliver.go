package tenant

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const (
	// sending is for how long one process has a notice to itself, longer than any function of AWS lives.
	sending = 16 * time.Minute
	// sendAgain is when a notice that could not be sent is tried again, by the hourly run that follows. The first try that
	// fails so long after the first that did is the last: the next would be on another day.
	sendAgain = retryAfter
	lastTry   = 23 * time.Hour
)

// Deliver hands what a tenant has to tell to d: events in their order, and notices. What fails stays for the next time,
// and its error is returned. It may be killed anywhere. A notice that was handed over by a process that died before it
// could note that comes again after 16 minutes, with the same ID; else each comes once.
func (s *Service) Deliver(ctx context.Context, tenantID string, d Delivery) error {
	mark, err := s.deliver(ctx, tenantID, d)
	if err != nil {
		s.o.Log.WarnContext(ctx, "delivery will be tried again", "tenant", tenantID, "error", err)
	}
	if err != nil || mark == 0 {
		return err
	}
	_, err = s.update(ctx, tenantID, func(r *record) error {
		if !r.delivered(mark) {
			return errUnchanged
		}
		return nil
	})
	return present(err)
}

// deliver is Deliver without the note that all is told; mark is what to note, 0 where there was nothing to tell.
func (s *Service) deliver(ctx context.Context, tenantID string, d Delivery) (mark int64, err error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(tenantID)) // never fails
	turn := &s.delivering[h.Sum32()%uint32(len(s.delivering))]
	turn.Lock()
	defer turn.Unlock()
	r, err := s.read(ctx, tenantID)
	if err != nil || r.state != active || r.Outbox == 0 {
		return 0, present(err)
	}
	// Notices first: what becomes of them may be an event.
	err = s.deliverNotices(ctx, tenantID, d)
	return r.Outbox, errors.Join(err, s.deliverEvents(ctx, tenantID, d))
}

// delivered notes that all is told that was written until mark, and reports whether that is all there is.
func (r *record) delivered(mark int64) bool {
	if mark == 0 || r.Outbox != mark {
		return false
	}
	r.Outbox = 0
	return true
}

func (s *Service) deliverEvents(ctx context.Context, tenantID string, d Delivery) error {
	prefix := store.KeysOf(tenantID).EventPrefix()
	for item, err := range s.store.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return err
		}
		e, err := decodeEvent(tenantID, item)
		if err != nil {
			return err
		}
		if err := d.Event(ctx, e); err != nil {
			return fmt.Errorf("tenant: event %s: %w", e.Kind, err)
		}
		if err := s.store.Write(ctx, store.Op{Kind: store.Delete, Key: item.Key}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) deliverNotices(ctx context.Context, tenantID string, d Delivery) error {
	all, err := s.stored(ctx, tenantID)
	if err != nil {
		return err
	}
	var failed error
	for _, n := range all {
		if n.State == NoticePending {
			failed = errors.Join(failed, s.send(ctx, tenantID, n, d))
		}
	}
	return failed
}

// errLater says that a notice waits for its next attempt, or is being sent elsewhere.
func errLater() error { return fmt.Errorf("%w: a notice is to be sent later", ErrBusy) }

// send hands over one notice: it claims it, so that nobody else does, and notes what came of it. One that is out of
// date is removed.
func (s *Service) send(ctx context.Context, tenantID string, n storedNotice, d Delivery) error {
	now := s.o.Now().Unix()
	if n.After > now || n.Until > now && !(s.o.Alone && n.By != s.process()) {
		return errLater()
	}
	n.By, n.Until = s.process(), now+int64(sending/time.Second)
	n.Attempts++
	err := s.replace(ctx, tenantID, &n)
	if err != nil {
		return err
	}
	r, err := s.read(ctx, tenantID) // after the notice, so that it is no older
	if err != nil {
		return err
	}
	if r.outdated(n.Notice, s.o.Now()) {
		return s.retract(ctx, tenantID, n)
	}
	t, full, err := s.informed(ctx, tenantID, r, n.Notice)
	if err != nil {
		return err
	}
	state, err := d.Notice(ctx, t, full)
	if err != nil && n.Failing == 0 {
		n.Failing = now
	}
	if err != nil && now-n.Failing < int64(lastTry/time.Second) {
		n.By, n.Until, n.After = "", 0, now+int64(sendAgain/time.Second)
		return errors.Join(fmt.Errorf("tenant: notice %s: %w", n.Kind, err), s.replace(ctx, tenantID, &n))
	}
	if err != nil || state != NoticeSent {
		s.o.Log.ErrorContext(ctx, "notice failed", "tenant", tenantID, "notice", n.ID, "attempts", n.Attempts, "error", err)
		state = NoticeFailed
	}
	return s.mark(ctx, tenantID, n.ID, state, n.version)
}

// replace writes a notice in place of the version that was read. ErrBusy where somebody else did.
func (s *Service) replace(ctx context.Context, tenantID string, n *storedNotice) error {
	op, err := n.put(tenantID)
	if err == nil {
		err = s.store.Transact(ctx, op)
	}
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return errLater()
	}
	if err == nil {
		n.version++
	}
	return err
}

// outdated reports whether a notice that is still to be sent has nothing true to say any more: the token has ended, of
// which there is a notice of its own, was revoked or extended, or its successor was revoked.
func (r *record) outdated(n Notice, now time.Time) bool {
	if n.Kind == NoticeExpired || n.Kind == NoticeTest {
		return false
	}
	if n.ClientID != "" {
		c := r.client(n.ClientID)
		return c == nil || c.credential(n.TokenID) == nil || !now.Before(n.ClientSecretEnds)
	}
	i := slices.IndexFunc(r.Tokens, func(t tokenRecord) bool { return t.ID == n.TokenID })
	switch {
	case i < 0 || r.Tokens[i].noticeID(n.Kind) != n.ID || r.Tokens[i].state(now) == TokenExpired:
		return true
	case r.Tokens[i].live(now):
		return false
	}
	// after a rotation was completed people still need the new token
	return n.Kind != NoticeSuccessorReady || r.successor(i, now) < 0
}

// retract removes a notice as it was read.
func (s *Service) retract(ctx context.Context, tenantID string, n storedNotice) error {
	err := s.store.Transact(ctx, store.Op{
		Kind: store.Delete, Key: noticeKey(store.KeysOf(tenantID), n.ID),
		If: []store.Cond{{Test: store.Equal, Attr: attrVersion, Value: n.version}},
	})
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return errLater()
	}
	if err == nil {
		s.o.Log.InfoContext(ctx, "notice retracted", "tenant", tenantID, "notice", n.ID)
	}
	return err
}

// informed adds to a notice what its text needs: the tokens as they are now.
func (s *Service) informed(ctx context.Context, tenantID string, r *record, n Notice) (Tenant, Notice, error) {
	now := s.o.Now()
	t := r.tenant(tenantID, now)
	if n.ClientID != "" {
		n.Token = n.clientSecret()
		return t, n, nil
	}
	used, err := s.lastUses(ctx, tenantID, tokenIDs(t.Tokens))
	if err != nil {
		return Tenant{}, n, err
	}
	for i := range t.Tokens {
		t.Tokens[i].LastUsedAt = unix(used[t.Tokens[i].ID])
	}
	n.ToCollect = s.toCollect(r, now)
	listed := func(id string) int { return slices.IndexFunc(t.Tokens, func(t Token) bool { return t.ID == id }) }
	if n.TokenID != "" {
		n.Token = Token{ID: n.TokenID, ExpiresAt: n.TokenEnds} // where it is not listed any more
	}
	if i := listed(n.TokenID); i >= 0 {
		n.Token = t.Tokens[i]
	}
	next := -1
	if own := slices.IndexFunc(r.Tokens, func(t tokenRecord) bool { return t.ID == n.TokenID }); own >= 0 {
		next = r.successor(own, now)
	} else if live := r.live(now); len(live) > 0 {
		next = live[len(live)-1]
	}
	if next >= 0 {
		n.Successor = t.Tokens[listed(r.Tokens[next].ID)]
	}
	return t, n, nil
}

// MarkNotice records what became of a notice after it was sent: NoticeBounced or NoticeFailed, in one transaction with
// the event that says so. ErrNotFound where there is no such notice; marking it again changes nothing.
func (s *Service) MarkNotice(ctx context.Context, tenantID, noticeID string, state NoticeState) error {
	if state != NoticeBounced && state != NoticeFailed {
		return invalid("state", "must be bounced or failed")
	}
	return s.mark(ctx, tenantID, noticeID, state, 0)
}

// mark records the state of a notice. version, where it is not 0, is the one that must be stored.
func (s *Service) mark(ctx context.Context, tenantID, noticeID string, state NoticeState, version int64) error {
	all, err := s.stored(ctx, tenantID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(n storedNotice) bool { return n.ID == noticeID })
	switch {
	case i < 0:
		return ErrNotFound
	case all[i].State == state:
		return nil
	case version != 0 && all[i].version != version:
		return errLater()
	}
	n := all[i]
	n.State, n.By, n.Until, n.After, n.Failing = state, "", 0, 0, 0
	put, err := n.put(tenantID)
	switch {
	case err != nil:
		return err
	case state == NoticeSent:
		err = s.store.Transact(ctx, put)
	default:
		err = s.markWithEvent(ctx, tenantID, n.Notice, put)
	}
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return errLater()
	}
	return err
}

// markWithEvent writes the state of a notice together with the event about it.
func (s *Service) markWithEvent(ctx context.Context, tenantID string, n Notice, put store.Op) error {
	kind := EventNoticeFailed
	if n.State == NoticeBounced {
		kind = EventNoticeBounced
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	_, err := s.update(ctx, tenantID, func(r *record) error {
		r.tell(s.o.Now(), kind, n.TokenID, n.data())
		r.out.with = []store.Op{put}
		return nil
	})
	return err
}

// Notices lists the tenant's notices of the last 400 days, oldest first.
func (s *Service) Notices(ctx context.Context, tenantID string) ([]Notice, error) {
	if _, err := s.Get(ctx, tenantID); err != nil {
		return nil, err
	}
	all, err := s.stored(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b storedNotice) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	notices := make([]Notice, 0, len(all))
	for _, n := range all {
		if s.o.Now().Before(n.At.Add(keptNotices)) {
			notices = append(notices, n.Notice)
		}
	}
	return notices, nil
}

// TestNotice has a notice sent to the tenant's recipients, so that somebody sees whether it arrives.
func (s *Service) TestNotice(ctx context.Context, tenantID string) (Notice, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	var n Notice
	_, err := s.update(ctx, tenantID, func(r *record) error {
		now := s.o.Now()
		r.notify(now, Notice{
			Kind: NoticeTest,
			ID:   noticeID("", NoticeTest, fmt.Sprintf("%013d-%s", now.UnixMilli(), random(base36, 10))),
		})
		n = r.out.notices[0]
		return nil
	})
	return n, err
}
