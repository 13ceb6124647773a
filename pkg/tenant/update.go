package tenant

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// What a change function of update may return beside errors of its own.
var (
	// errUnchanged ends an update without a write and without an error.
	errUnchanged = errors.New("tenant: nothing to write")
	// errWait has the update read again a little later.
	errWait = errors.New("tenant: not yet")
)

// pause bounds the random wait before an update is tried again.
const pause = 50 * time.Millisecond

// update changes an active tenant: it reads it, has change change it, and writes it if nobody else did in between; otherwise it
// begins again, until ctx ends. ErrNotFound where there is no active tenant; an error of change is returned as it is.
func (s *Service) update(ctx context.Context, id string, change func(*record) error) (*record, error) {
	for {
		r, err := s.read(ctx, id)
		if err != nil {
			return nil, err
		}
		if r.state != active {
			return nil, ErrNotFound
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
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
		case <-time.After(rand.N(pause)):
		}
	}
}

// write stores r, one version on, without the tokens that need not be kept, if it still is the version that was read.
func (s *Service) write(ctx context.Context, id string, r *record) error {
	before := slices.Clone(r.Tokens)
	r.forget(s.o.Now())
	previous := r.version
	r.version++
	attrs, err := r.attrs()
	if err != nil {
		return err
	}
	keys := store.KeysOf(id)
	// Transact and not Write: its idempotency token makes trying again safe where no answer comes.
	err = s.store.Transact(ctx, store.Op{Kind: store.Put, Key: keys.Tenant(), Set: attrs, If: []store.Cond{atVersion(previous)}})
	if err != nil {
		return err
	}
	for _, t := range before {
		if r.find(t.ID) == nil {
			s.forgetUse(ctx, id, t.ID)
		}
	}
	return nil
}

// forgetUse removes when a forgotten token was last used. If it fails, the item stays until the tenant goes, and does no harm.
func (s *Service) forgetUse(ctx context.Context, id, tokenID string) {
	if err := s.store.Write(ctx, store.Op{Kind: store.Delete, Key: store.KeysOf(id).Used(tokenID)}); err != nil {
		s.o.Log.WarnContext(ctx, "last use of a forgotten token not removed", "tenant", id, "token", tokenID, "error", err)
	}
}
