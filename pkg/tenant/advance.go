package tenant

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// retryAfter is when what went wrong with a tenant is tried again: by the next run of those that come every hour, also
// where that one comes to the tenant sooner after its beginning than this one did.
const retryAfter = 40 * time.Minute

// advance does all that is due for a tenant: makes its successor, tells what there is to tell, tidies its vault, and
// delivers. The four don't wait for each other: a vault that fails keeps nobody from being told. Each may be killed
// anywhere and repeated, by two processes at once. found is the due time under which the tenant was found, 0 for none;
// its entry is removed if it is not the tenant's own any more.
func (s *Service) advance(ctx context.Context, id string, found int64, d Delivery) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	now := s.o.Now()
	r, err := s.read(ctx, id)
	if err == nil && r.state == deleting {
		return s.resume(ctx, id, r, found)
	}
	if inactive(err) || err == nil && r.state != active {
		return s.unlist(ctx, id, r, found)
	}
	if err != nil {
		return err
	}
	a := announcement{all: true}
	a.used, err = s.lastUses(ctx, id, r.usable(now))
	if err == nil {
		err = errors.Join(s.succeed(ctx, id, now, r, a), s.tellDue(ctx, id, now, a))
	}
	mark, failed := s.deliver(ctx, id, d)
	if failed != nil {
		mark = 0
	}
	done, untidy := s.tidy(ctx, id)
	err = errors.Join(err, failed, untidy)
	return errors.Join(err, s.settle(ctx, id, found, err, func(r *record) bool {
		changed := r.delivered(mark)
		return done(r) || changed
	}))
}

// succeed makes the successor of a tenant that needs one.
func (s *Service) succeed(ctx context.Context, id string, now time.Time, seen *record, a announcement) error {
	if !seen.needsSuccessor(now, s.early(id)) {
		return nil
	}
	_, err := s.issue(ctx, id, now, func(r *record) (*candidate, error) {
		p := s.policy(r.Settings.Token)
		switch {
		case p.vault == VaultNone || !r.needsSuccessor(now, s.early(id)):
			return nil, errUnchanged
		case s.holds(r.Pending):
			return nil, ErrBusy
		}
		c := s.candidate(r, p, now)
		c.announce = announcement{ready: now.Add(s.early(id)).Unix(), all: true, used: a.used}
		return c, nil
	})
	return present(err)
}

// candidate makes the successor of the tenant's tokens: with the scopes of those whose place it takes, and a whole life
// from now.
func (s *Service) candidate(r *record, p policy, now time.Time) *candidate {
	n := NewToken{}
	if i := r.predecessor(now); i >= 0 {
		n.Scopes = slices.Clone(r.Tokens[i].Scopes)
	}
	for _, i := range r.lasting(now) {
		for _, scope := range r.Tokens[i].Scopes {
			if r.Tokens[i].window() <= now.Unix() && !slices.Contains(n.Scopes, scope) {
				n.Scopes = append(n.Scopes, scope)
			}
		}
	}
	token, value := s.mint(now, p, n)
	return &candidate{tokenRecord: token, value: value, successor: true, announce: announcement{ready: math.MaxInt64}}
}

// tellDue notes the events and notices that are due.
func (s *Service) tellDue(ctx context.Context, id string, now time.Time, a announcement) error {
	_, err := s.update(ctx, id, func(r *record) error {
		looked := r.reminded(now)
		if !s.announce(r, now, a) && !looked {
			return errUnchanged
		}
		return nil
	})
	return present(err)
}

// tidy has the vault forget dead tokens, and brings its current one up to date. It returns what notes that on the
// tenant, and reports whether there was anything to note.
func (s *Service) tidy(ctx context.Context, id string) (note func(*record) bool, err error) {
	note = func(*record) bool { return false }
	r, err := s.read(ctx, id)
	if err != nil || r.state != active {
		return note, present(err)
	}
	now := s.o.Now()
	gone := map[string]bool{}
	for _, t := range r.Tokens {
		vault := s.vault(t)
		if t.live(now) || t.Gone || vault == nil {
			continue
		}
		if err := vault.Drop(ctx, id, t.ID); err != nil {
			return note, err
		}
		gone[t.ID] = true
	}
	current := r.current(now)
	if current != "" && current != r.Current {
		if err := s.secrets.Promote(ctx, id, current); err != nil && !errors.Is(err, ErrNoValue) {
			return note, err
		}
	}
	return func(r *record) bool {
		changed := current != "" && r.Current != current
		if changed {
			r.Current = current
		}
		for i := range r.Tokens {
			if t := &r.Tokens[i]; gone[t.ID] && !t.Gone {
				t.Gone, changed = true, true
			}
		}
		return changed
	}, nil
}

// settle writes what note has to note, and puts the tenant where it belongs in the order of due times: later, where
// something failed or there is no end of it.
func (s *Service) settle(ctx context.Context, id string, found int64, failed error, note func(*record) bool) error {
	r, err := s.update(ctx, id, func(r *record) error {
		now := s.o.Now()
		retry, noted := r.Retry, note(r)
		r.Retry = 0
		if at := s.next(id, r, now); at != 0 && (failed != nil || at <= now.Unix()) {
			r.Retry = now.Add(retryAfter).Unix()
		}
		if !noted && retry == r.Retry && s.next(id, r, now) == r.Due {
			return errUnchanged
		}
		return nil
	})
	if err != nil && !inactive(err) {
		return err
	}
	return s.unlist(ctx, id, r, found)
}

// unlist removes an entry of the order of due times that is not the tenant's own. r is the tenant, nil or inactive
// where there is none.
func (s *Service) unlist(ctx context.Context, id string, r *record, found int64) error {
	stale := store.Cond{Test: store.Absent}
	if r != nil {
		if r.Due == found {
			return nil
		}
		stale = atVersion(r.version)
	}
	keys := store.KeysOf(id)
	err := s.store.Transact(ctx,
		store.Op{Kind: store.Check, Key: keys.Tenant(), If: []store.Cond{stale}},
		store.Op{Kind: store.Delete, Key: keys.Due(found)})
	if changed := (*store.ConditionError)(nil); errors.As(err, &changed) {
		return nil // whoever comes next finds the entry again
	}
	return err
}

// present forgets that there is no such tenant: then there is nothing to do.
func present(err error) error {
	if inactive(err) {
		return nil
	}
	return err
}
