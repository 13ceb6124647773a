package tenant

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// Errors by which a change function steers update; it may return errors of its own as well.
var (
	// errUnchanged ends an update without a write and without an error.
	errUnchanged = errors.New("tenant: nothing to write")
	// errWait makes update read the tenant again a little later.
	errWait = errors.New("tenant: not yet")
)

// pause bounds the random wait before an update is tried again.
const pause = 50 * time.Millisecond

// update changes an active tenant. It reads it, checks it (as a Tenant) against a precondition of ctx, calls change,
// and writes the result. If another process wrote in between, it begins again, until ctx ends. ErrNotFound if there is
// no active tenant; an error of change is returned as it is.
func (s *Service) update(ctx context.Context, id string, change func(*record.Record) error) (*record.Record, error) {
	return s.updateFrom(ctx, id, nil, change)
}

// updateFrom is update for a tenant r that was read or written a moment ago; nil makes it read. It changes r.
func (s *Service) updateFrom(
	ctx context.Context, id string, r *record.Record, change func(*record.Record) error,
) (_ *record.Record, err error) {
	for ; ; r = nil {
		if r == nil {
			if r, err = s.read(ctx, id); err != nil {
				return nil, err
			}
		}
		if r.Life != record.Active {
			return nil, ErrNotFound
		}
		if err = precondition.Of(ctx, func() any { return r.Tenant(id, s.o.Now()) }); err != nil {
			return nil, err
		}
		err = change(r)
		if errors.Is(err, errUnchanged) {
			return r, nil
		}
		if err == nil {
			err = s.write(ctx, id, r)
		}
		failed := (*store.ConditionError)(nil)
		if !errors.As(err, &failed) && !errors.Is(err, errWait) {
			return r, err
		}
		if err := rest(ctx); err != nil {
			return nil, err
		}
	}
}

// rest waits a little before a write that lost against another one is tried again. ErrBusy if ctx ends.
func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	case <-time.After(rand.N(pause)):
		return nil
	}
}

// write stores r with the next version, if the version that was read is still stored.
func (s *Service) write(ctx context.Context, id string, r *record.Record) error {
	return s.commit(ctx, id, r, r.Version)
}

// commit stores r with the next version, without the tokens that need not be kept. In the same transaction it writes
// the events and notices of r, its place in the order of due times, and the operations of more. previous is the
// version that it replaces; 0: there must be none. On success r is as stored. It returns a *store.ConditionError if
// previous is not the stored version.
func (s *Service) commit(ctx context.Context, id string, r *record.Record, previous int64, more ...store.Op) error {
	now := s.o.Now()
	next := *r
	next.Tokens = slices.Clone(r.Tokens)
	next.Version = previous + 1
	hint := r.Out.Hint
	out, err := next.Flush(ctx, id)
	if err != nil {
		return err
	}
	keys := store.KeysOf(id)
	if hint {
		if at := s.next(id, &next, now); at != 0 && (r.Due == 0 || at < r.Due) {
			more = append(more, duePuts(id, 0, at)...)
		}
	} else {
		next.Due = s.next(id, &next, now)
		more = append(more, duePuts(id, r.Due, next.Due)...)
	}
	if r.Everybody && s.o.Everybody != nil {
		more = append(more, s.o.Everybody(keys))
	}
	attrs, err := next.Attrs(now)
	if err != nil {
		return err
	}
	// Transact and not Write: its idempotency token makes a retry safe if no answer comes.
	ops := append(
		[]store.Op{{Kind: store.Put, Key: keys.Tenant(), Set: attrs, If: []store.Cond{record.AtVersion(previous)}}},
		more...)
	if err := s.store.Transact(ctx, append(ops, out...)...); err != nil {
		return err
	}
	s.forget(id)
	before := r.Tokens
	*r = next
	for _, t := range before {
		if r.Find(t.ID) == nil {
			s.forgetUse(ctx, id, t.ID)
		}
	}
	if next.Outbox == next.Version {
		s.o.Wake(store.WakeTell, id)
	}
	if len(out) > 0 || r.Everybody {
		s.o.Wake(store.WakePublish, id)
		r.Everybody = false
	}
	if r.Wake != "" {
		s.o.Wake(r.Wake, id)
		r.Wake = ""
	}
	return nil
}

// forgetUse removes the time of last use of a token that is not kept any more. If it fails, the item stays until the
// tenant is deleted, and does no harm.
func (s *Service) forgetUse(ctx context.Context, id, tokenID string) {
	if err := s.store.Write(ctx, store.Op{Kind: store.Delete, Key: store.KeysOf(id).Used(tokenID)}); err != nil {
		s.o.Log.WarnContext(ctx, "last use of a removed token not deleted", "tenant", id,
			"token", tokenID, "error", err)
	}
}
