package tenant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// abandoned is the time after which an unfinished creation of a tenant is cleared away.
const abandoned = time.Hour

// Delete marks a tenant as deleted, in one transaction with its entry in the list of tenants, which shows that work is
// left. From then on all calls return ErrNotFound, its tokens are refused, and its id is taken until Finish has
// removed the rest. ErrNotFound also if it is being deleted already.
func (s *Service) Delete(ctx context.Context, id string) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	for {
		r, err := s.read(ctx, id)
		if err != nil {
			return err
		}
		if r.Life != record.Active {
			return ErrNotFound
		}
		if err := precondition.Of(ctx, func() any { return r.Tenant(id, s.o.Now()) }); err != nil {
			return err
		}
		err = s.markDeleted(ctx, id, r)
		if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
			continue // somebody changed it; the loop ends with ctx, which read honours
		}
		if err == nil {
			s.o.Log.InfoContext(ctx, "tenant deleted", "tenant", id)
		}
		return err
	}
}

// Ending is how far the erasing of a deleted tenant has come.
type Ending struct {
	ID string
	// Since is the time of the deletion.
	Since time.Time
	Stage EndingStage
	r     *record.Record
}

// EndingStage is a stage of the erasing of a tenant.
type EndingStage = record.Ending

// The stages, in order.
const (
	// Deleted: the deletion is not announced yet.
	Deleted = record.Deleted
	// Told: the deletion is in the log of the tenant, as the last event.
	Told = record.Told
	// Heard: all destinations of the tenant's events have that event, or do not need it.
	Heard = record.Heard
)

// Ending reads how far the erasing of a tenant has come. ErrNotFound if it is not deleted, or is gone.
func (s *Service) Ending(ctx context.Context, id string) (Ending, error) {
	r, err := s.read(ctx, id)
	if err == nil && r.Life != record.Deleting {
		err = ErrNotFound
	}
	if err != nil {
		return Ending{}, err
	}
	return Ending{ID: id, Since: time.UnixMilli(r.Modified), Stage: r.Ending, r: r}, nil
}

// Proceed writes that the erasing of e's tenant has come to a stage, in one transaction with ops, and wakes the process
// that erases tenants at a time; the zero time is now. The error is a *store.ConditionError if another process was
// faster since e was read, or if a condition of ops fails.
func (s *Service) Proceed(ctx context.Context, e Ending, stage EndingStage, at time.Time, ops ...store.Op) error {
	e.r.Ending, e.r.Retry = stage, at.Unix()
	if at.IsZero() {
		e.r.Wake, e.r.Retry = store.WakeDeleted, s.o.Now().Add(retryAfter).Unix()
	}
	return s.commit(ctx, e.ID, e.r, e.r.Version, ops...)
}

// resume wakes the process that erases tenants, for a tenant that is not gone long after its deletion. found is the
// due time under which it was found. The same write sets the time of the next attempt, so that the deletion does not
// depend on the process that was woken.
func (s *Service) resume(ctx context.Context, id string, r *record.Record, found int64) error {
	if r.Due != found {
		return s.unlist(ctx, id, r, found)
	}
	if !s.holds(r.Pending) {
		r.Wake = store.WakeDeleted
	}
	r.Retry = s.o.Now().Add(retryAfter).Unix()
	err := s.write(ctx, id, r)
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return nil // another process works on it
	}
	s.o.Log.WarnContext(ctx, "deleted tenant is not gone yet", "tenant", id, "error", err)
	return err
}

// markDeleted writes the state. A Pending reservation stays, so that Finish waits for it.
func (s *Service) markDeleted(ctx context.Context, id string, r *record.Record) error {
	now := s.o.Now()
	r.Life, r.Tokens, r.Modified = record.Deleting, nil, now.UnixMilli()
	r.Wake, r.Retry = store.WakeDeleted, now.Add(retryAfter).Unix()
	return s.writeListed(ctx, id, r, r.Version)
}

// Deleting lists the tenants that are deleted but not yet gone: for each, the caller has to empty the directory and
// call Finish. A tenant whose creation was abandoned an hour ago is marked and listed too. It reads the list of all
// tenants, so it is for the start of a local server. Elsewhere hourly runs find the deleted tenants in the order of
// due times, and ClearAbandoned finds the rest.
func (s *Service) Deleting(ctx context.Context) ([]string, error) {
	var ids []string
	for item, err := range s.store.All(ctx, store.Query{PK: store.TenantsPK}) {
		if err != nil {
			return nil, err
		}
		deleting := item.Attrs[record.AttrState] == string(record.Deleting)
		if !deleting {
			if deleting, err = s.isAbandoned(ctx, item); err != nil {
				return nil, err
			}
		}
		if deleting {
			ids = append(ids, item.SK)
		}
	}
	return ids, nil
}

// ClearAbandoned takes an entry of the list of tenants. If the creation of that tenant began an hour ago or more and
// no process works on it, it marks the tenant as deleted, which causes it to be erased. For all other entries it reads
// nothing. An error is logged: the next walk along the list reaches the tenant again.
func (s *Service) ClearAbandoned(ctx context.Context, listed store.Item) {
	if _, err := s.isAbandoned(ctx, listed); err != nil {
		s.o.Log.WarnContext(ctx, "abandoned tenant not marked as deleted", "tenant", listed.SK, "error", err)
	}
}

// isAbandoned reports whether the creation of a tenant in the list was abandoned; it has then marked it as deleted.
func (s *Service) isAbandoned(ctx context.Context, listed store.Item) (bool, error) {
	since, _ := listed.Attrs[record.AttrSince].(int64)
	if listed.Attrs[record.AttrState] != string(record.Creating) ||
		s.o.Now().Sub(time.Unix(since, 0)) < abandoned {
		return false, nil
	}
	return s.markAbandoned(ctx, listed.SK)
}

// markAbandoned marks a tenant whose creation was abandoned. It returns false if the creation goes on, or has ended.
func (s *Service) markAbandoned(ctx context.Context, id string) (bool, error) {
	r, err := s.read(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && (r.Life != record.Creating || s.holds(r.Pending)) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.Ending = Heard // nobody knew it
	err = s.markDeleted(ctx, id, r)
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return false, nil
	}
	return err == nil, err
}

// Finish removes the rest of a deleted tenant once the directory has emptied its partitions: the vault's secret, the
// items beside the tenant's own, and last, in one transaction, the tenant and its entry in the list, which frees the
// id. It is no error if the tenant is gone already. ErrBusy while another process works on it, or a token is still
// being made: try again later.
//
// It makes a reservation on the tenant first, so that a second, late Finish can't remove the secret of a new tenant of
// the same id. A process that dies before the last step leaves the reservation, which lapses; the next hourly run then
// causes another attempt.
func (s *Service) Finish(ctx context.Context, id string) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	r, err := s.read(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if r.Life != record.Deleting {
		return fmt.Errorf("tenant: %s is not deleted", id)
	}
	if s.holds(r.Pending) {
		return ErrBusy
	}
	if err = s.claim(ctx, id, r, s.reservation("")); err != nil {
		return err
	}
	if err = s.erase(ctx, id, r); err != nil {
		if release := s.claim(ctx, id, r, nil); release != nil {
			s.o.Log.WarnContext(ctx, "claim on a deleted tenant not released", "tenant", id, "error", release)
		}
		return err
	}
	s.o.Log.InfoContext(ctx, "tenant erased", "tenant", id)
	return nil
}

// claim sets the reservation on a deleted tenant.
func (s *Service) claim(ctx context.Context, id string, r *record.Record, by *record.Reservation) error {
	r.Pending = by
	err := s.write(ctx, id, r)
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return ErrBusy
	}
	return err
}

func (s *Service) erase(ctx context.Context, id string, r *record.Record) error {
	if err := s.secrets.DropTenant(ctx, id); err != nil {
		return err
	}
	if s.o.Packed != nil {
		if err := s.o.Packed.DropTenant(ctx, id); err != nil {
			return err
		}
	}
	keys := store.KeysOf(id)
	var rest []store.Op
	for item, err := range s.store.All(ctx, store.Query{PK: keys.Tenant().PK, Select: store.KeysOnly}) {
		if err != nil {
			return err
		}
		if item.Key != keys.Tenant() {
			rest = append(rest, store.Op{Kind: store.Delete, Key: item.Key})
		}
	}
	if len(rest) > 0 {
		if err := s.store.Batch(ctx, rest...); err != nil {
			return err
		}
	}
	return s.store.Transact(ctx, append(duePuts(id, r.Due, 0),
		store.Op{Kind: store.Delete, Key: keys.Tenant(), If: []store.Cond{record.AtVersion(r.Version)}},
		store.Op{Kind: store.Delete, Key: keys.Listed()})...)
}
