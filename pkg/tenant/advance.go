package tenant

import (
	"context"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// retryAfter is when what went wrong with a tenant is tried again: by the next run of those that come every hour, also
// where that one comes to the tenant sooner after its beginning than this one did.
const retryAfter = 40 * time.Minute

// advance does all that is due for a tenant: makes its successor, tells what there is to tell, delivers, and tidies its
// vault. The four don't wait for each other: a vault that fails keeps nobody from being told. Each may be killed
// anywhere and repeated, by two processes at once. found is the due time under which the tenant was found, 0 for none;
// its entry is removed if it is not the tenant's own any more.
func (s *Service) advance(ctx context.Context, id string, found int64, d Delivery) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	a := &attempt{Service: s, id: id, delivery: d, now: s.o.Now()}
	for {
		r, err := a.look(ctx)
		if err == nil && r.state == deleting {
			return errors.Join(a.failed, s.resume(ctx, id, r, found))
		}
		if inactive(err) || err == nil && r.state != active {
			return errors.Join(a.failed, s.unlist(ctx, id, r, found))
		}
		if err != nil {
			return errors.Join(a.failed, err)
		}
		steps := decide(r, a.situation())
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
	r    *record
	used map[string]int64
	// tried are the kinds of steps that are not decided again, failed all that went wrong.
	tried  []stepKind
	failed error
	// notes put on the tenant what was done outside of the table, and report whether that changed it.
	notes []func(*record) bool
}

// look returns the tenant, which it reads if it is not known.
func (a *attempt) look(ctx context.Context) (r *record, err error) {
	if a.r != nil {
		return a.r, nil
	}
	r, err = a.read(ctx, a.id)
	if err != nil || r.state != active {
		return r, err
	}
	a.r = r
	if a.used, err = a.lastUses(ctx, a.id, r.usable(a.now)); err != nil {
		a.try(err, succeed, remind) // the rest does not need it
	}
	return r, nil
}

// try notes that steps of some kinds were tried, and what went wrong.
func (a *attempt) try(err error, kinds ...stepKind) {
	a.tried = append(a.tried, kinds...)
	a.failed = errors.Join(a.failed, err)
}

func (a *attempt) situation() situation {
	return situation{
		now: a.now, early: a.early(a.id), policy: a.policy(a.r.Settings.Token), used: a.used, tried: a.tried,
	}
}

// lastRound reports whether nothing follows these steps.
func lastRound(steps []step) bool { return len(steps) == 0 || steps[0].kind > looked }

// apply carries a round of steps out, and writes the tenant once: what was done outside of the table is noted together
// with the tenant's next due time. A successor takes one more write, see Issue. A *store.ConditionError says that the
// tenant was changed meanwhile; then nothing is done twice, because what was done outside is not decided again.
func (a *attempt) apply(ctx context.Context, steps []step) error {
	switch {
	case lastRound(steps):
		for _, st := range steps {
			a.outside(ctx, st)
		}
		a.tried = append(a.tried, deliver, drop, promote)
		return a.settle(ctx)
	case steps[0].kind == succeed:
		a.succeed(ctx)
		return nil
	}
	a.r.apply(a.situation(), steps)
	err := a.write(ctx, a.id, a.r)
	if failed := (*store.ConditionError)(nil); !errors.As(err, &failed) {
		a.tried = append(a.tried, remind)
	}
	return err
}

// succeed makes the successor, and tells of it in the same write.
func (a *attempt) succeed(ctx context.Context) {
	r, c, err := a.make(ctx, a.id, a.r, a.now, func(r *record) (*candidate, error) {
		x := a.situation()
		x.policy = a.policy(r.Settings.Token)
		steps := decide(r, x)
		switch {
		case len(steps) == 0 || steps[0].kind != succeed:
			return nil, errUnchanged
		case a.holds(r.Pending):
			return nil, ErrBusy
		}
		c := a.successor(x.policy, a.now, steps[0].scopes)
		c.tell, c.tell.ready = x, a.now.Add(x.early).Unix()
		return c, nil
	})
	a.r = r
	a.try(present(err), succeed)
	if c != nil {
		a.tried = append(a.tried, remind) // done with the write of the token
	}
}

// outside carries out a step that is done outside of the table.
func (a *attempt) outside(ctx context.Context, st step) {
	switch st.kind {
	case deliver:
		if err := a.deliver(ctx, a.id, a.delivery); err != nil {
			a.failed = errors.Join(a.failed, err)
			return
		}
		a.notes = append(a.notes, func(r *record) bool { return r.delivered(st.mark) })
	case drop:
		vault := a.vault(*a.r.find(st.id))
		if vault == nil {
			return
		}
		if err := vault.Drop(ctx, a.id, st.id); err != nil {
			a.failed = errors.Join(a.failed, err)
			return
		}
		a.notes = append(a.notes, func(r *record) bool {
			t := r.find(st.id)
			if t == nil || t.Gone {
				return false
			}
			t.Gone = true
			return true
		})
	case promote:
		if err := a.secrets.Promote(ctx, a.id, st.id); err != nil && !errors.Is(err, ErrNoValue) {
			a.failed = errors.Join(a.failed, err)
			return
		}
		a.notes = append(a.notes, func(r *record) bool {
			changed := r.Current != st.id
			r.Current = st.id
			return changed
		})
	}
}

// settle writes the notes, and puts the tenant at its next due time: later, if something failed or there is no end of
// it.
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
