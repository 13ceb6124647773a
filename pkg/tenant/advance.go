package tenant

import (
	"context"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// retryAfter is the delay before failed work of a tenant is tried again. It is shorter than an hour, so that the next
// hourly run does it even if it reaches the tenant earlier in its walk than this one did.
const retryAfter = 40 * time.Minute

// advance does all due work of a tenant: it creates the successor, writes events and notices, delivers them, and tidies
// the vault. The four don't depend on each other: a notice is sent even if the vault fails. Each may be killed
// anywhere and repeated, by two processes at once. found is the due time under which the tenant was found, 0 for none.
// Its entry is removed if it is not the tenant's own any more.
func (s *Service) advance(ctx context.Context, id string, found int64, d Delivery) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	a := &attempt{Service: s, id: id, delivery: d, now: s.o.Now()}
	for {
		r, err := a.look(ctx)
		if err == nil && r.Life == record.Deleting {
			return errors.Join(a.failed, s.resume(ctx, id, r, found))
		}
		if record.Inactive(err) || err == nil && r.Life != record.Active {
			return errors.Join(a.failed, s.unlist(ctx, id, r, found))
		}
		if err != nil {
			return errors.Join(a.failed, err)
		}
		steps := rotation.Decide(&r.State, a.situationOf(r))
		if err = a.apply(ctx, steps); err == nil && lastRound(steps) {
			return errors.Join(a.failed, s.unlist(ctx, id, a.r, found))
		}
		if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
			a.r, err = nil, rest(ctx)
		}
		if err != nil {
			return errors.Join(a.failed, err)
		}
	}
}

// attempt is a run over one tenant.
type attempt struct {
	*Service
	id       string
	delivery Delivery
	now      time.Time
	// r is the tenant as it is stored, nil if that is not known; used goes with it.
	r    *record.Record
	used map[string]int64
	// tried are the kinds of steps that are not decided again; failed joins all errors.
	tried  []rotation.StepKind
	failed error
	// notes record on the tenant the work done outside of the table, and report whether that changed it.
	notes []func(*record.Record) bool
}

// look returns the tenant. It reads it if it is not known.
func (a *attempt) look(ctx context.Context) (r *record.Record, err error) {
	if a.r != nil {
		return a.r, nil
	}
	r, err = a.read(ctx, a.id)
	if err != nil || r.Life != record.Active {
		return r, err
	}
	a.r = r
	if a.used, err = a.lastUses(ctx, a.id, r.Usable(a.now)); err != nil {
		a.try(err, rotation.Succeed, rotation.Remind) // the rest does not need it
	}
	return r, nil
}

// try records that steps of some kinds were tried, and their error.
func (a *attempt) try(err error, kinds ...rotation.StepKind) {
	a.tried = append(a.tried, kinds...)
	a.failed = errors.Join(a.failed, err)
}

// situationOf returns the situation of the tenant as it is in r.
func (a *attempt) situationOf(r *record.Record) rotation.Situation {
	x := a.Service.situation(a.id, r, a.now, a.used)
	x.Tried = a.tried
	return x
}

// lastRound reports whether nothing follows these steps.
func lastRound(steps []rotation.Step) bool { return len(steps) == 0 || steps[0].Kind > rotation.Looked }

// apply carries out a round of steps, and writes the tenant once: the notes about work outside of the table go
// together with the next due time. A successor takes one more write, see Issue. A *store.ConditionError says that the
// tenant was changed meanwhile. Work done outside of the table is not decided again even then.
func (a *attempt) apply(ctx context.Context, steps []rotation.Step) error {
	switch {
	case lastRound(steps):
		for _, st := range steps {
			a.outside(ctx, st)
		}
		a.tried = append(a.tried, rotation.Deliver, rotation.Drop, rotation.Promote)
		return a.settle(ctx)
	case steps[0].Kind == rotation.Succeed:
		a.succeed(ctx)
		return nil
	}
	a.r.Apply(a.situationOf(a.r), steps)
	err := a.write(ctx, a.id, a.r)
	if failed := (*store.ConditionError)(nil); !errors.As(err, &failed) {
		a.tried = append(a.tried, rotation.Remind)
	}
	if err == nil {
		a.warn(ctx, steps)
	}
	return err
}

// warn logs each token that ends within a week without a successor in use: an alarm counts them.
func (a *attempt) warn(ctx context.Context, steps []rotation.Step) {
	for _, st := range steps {
		if days := st.EndsWithin(); days > 0 && days <= 7 {
			a.o.Log.WarnContext(ctx, "token ends soon", "tenant", a.id, "token", st.ID, "days", days)
		}
	}
}

// succeed creates the successor, and adds the notices of it in the same write.
func (a *attempt) succeed(ctx context.Context) {
	r, c, err := a.make(ctx, a.id, a.r, a.now, func(r *record.Record) (*candidate, error) {
		x := a.situationOf(r)
		steps := rotation.Decide(&r.State, x)
		switch {
		case len(steps) == 0 || steps[0].Kind != rotation.Succeed:
			return nil, errUnchanged
		case a.holds(r.Pending):
			return nil, ErrBusy
		}
		c := a.successor(a.policy(r.Settings.Token), a.now, steps[0].Scopes)
		c.tell, c.tell.Ready = x, a.now.Add(x.Early).Unix()
		return c, nil
	})
	a.r = r
	a.try(present(err), rotation.Succeed)
	if c != nil {
		a.tried = append(a.tried, rotation.Remind) // done with the write of the token
	}
}

// outside carries out a step that is done outside of the table.
func (a *attempt) outside(ctx context.Context, st rotation.Step) {
	switch st.Kind {
	case rotation.Deliver:
		if err := a.deliver(ctx, a.id, a.delivery); err != nil {
			a.failed = errors.Join(a.failed, err)
			return
		}
		a.notes = append(a.notes, func(r *record.Record) bool { return r.Delivered(st.Mark) })
	case rotation.Drop:
		vault := a.vault(*a.r.Find(st.ID))
		if vault == nil {
			return
		}
		if err := vault.Drop(ctx, a.id, st.ID); err != nil {
			a.failed = errors.Join(a.failed, err)
			return
		}
		a.notes = append(a.notes, func(r *record.Record) bool {
			t := r.Find(st.ID)
			if t == nil || t.Gone {
				return false
			}
			t.Gone = true
			return true
		})
	case rotation.Promote:
		if err := a.secrets.Promote(ctx, a.id, st.ID); err != nil && !errors.Is(err, ErrNoValue) {
			a.failed = errors.Join(a.failed, err)
			return
		}
		a.notes = append(a.notes, func(r *record.Record) bool {
			changed := r.Current != st.ID
			r.Current = st.ID
			return changed
		})
	}
}

// settle writes the notes and the next due time: retryAfter from now at least if a step failed or work is still due.
func (a *attempt) settle(ctx context.Context) error {
	r, now, changed := a.r, a.o.Now(), false
	for _, note := range a.notes {
		changed = note(r) || changed
	}
	retry := r.Retry
	r.Retry = 0
	if at := a.next(a.id, r, now); at != 0 && (a.failed != nil || at <= now.Unix()) {
		r.Retry = now.Add(retryAfter).Unix()
	}
	if !changed && retry == r.Retry && a.next(a.id, r, now) == r.Due {
		return nil
	}
	return a.write(ctx, a.id, r)
}

// unlist removes an entry of the order of due times that is not the tenant's own. r is the tenant, maybe nil or
// inactive.
func (s *Service) unlist(ctx context.Context, id string, r *record.Record, found int64) error {
	stale := store.Cond{Test: store.Absent}
	if r != nil {
		if r.Due == found {
			return nil
		}
		stale = record.AtVersion(r.Version)
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

// present drops the error that there is no such tenant: then there is nothing to do.
func present(err error) error {
	if record.Inactive(err) {
		return nil
	}
	return err
}
