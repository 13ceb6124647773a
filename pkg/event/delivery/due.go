package delivery

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// everyTenant is the tenant of an entry that asks for all tenants.
const everyTenant = "*"

// overdue is after how many seconds an entry is looked at closely: it may be left of a destination that is gone.
const overdue = 3600

// Due calls wake once for every tenant that has an attempt due, with several tenants a call. An entry stays until the
// attempt is made, so that a tenant comes again if nobody has worked on it.
func (w *Worker) Due(ctx context.Context, wake func(ctx context.Context, tenants ...string) error) error {
	now := seconds(w.o.Now().UnixMilli()) // as the entries are: an attempt that is due in this second is reported now
	seen := map[string]bool{}
	q := store.Query{PK: store.SendPK, To: store.DueTime(now + 1), Limit: 100, Select: store.KeysOnly}
	for {
		p, err := w.store.Query(ctx, q)
		if err != nil {
			return err
		}
		var some []string
		for _, item := range p.Items {
			at, tenantID, destination, ok := store.SendOf(item.Key)
			switch {
			case !ok:
			case tenantID == everyTenant:
				if err := w.all(ctx, item.Key, wake); err != nil {
					return err
				}
				continue
			case now-at > overdue:
				void, err := w.void(ctx, at, tenantID, destination)
				if err != nil {
					return err
				}
				if void {
					if err := w.store.Write(ctx, store.RemoveItem(item.Key)); err != nil {
						return err
					}
					continue
				}
			}
			if ok && !seen[tenantID] {
				seen[tenantID] = true
				some = append(some, tenantID)
			}
		}
		if len(some) > 0 {
			if err := wake(ctx, some...); err != nil {
				return err
			}
		}
		if !p.More {
			return nil
		}
		q.After = p.Last
	}
}

// void reports whether nothing is due at a time any more.
func (w *Worker) void(ctx context.Context, at int64, tenantID, destination string) (bool, error) {
	ts := w.store.Tenant(tenantID)
	items, err := ts.Get(ctx, ts.Destination(destination))
	if err != nil {
		return false, err
	}
	s, _, err := Decode(items[0])
	return seconds(s.Due) != at, err
}

// all calls wake for every tenant, and then removes the entry that asked for it.
func (w *Worker) all(ctx context.Context, entry store.Key, wake func(context.Context, ...string) error) error {
	q := store.Query{PK: store.TenantsPK, Limit: 500, Select: store.KeysOnly}
	for {
		p, err := w.store.Query(ctx, q)
		if err != nil {
			return err
		}
		some := make([]string, len(p.Items))
		for i, item := range p.Items {
			some[i] = item.SK
		}
		if len(some) > 0 {
			if err := wake(ctx, some...); err != nil {
				return err
			}
		}
		if !p.More {
			return w.store.Write(ctx, store.RemoveItem(entry))
		}
		q.After = p.Last
	}
}

// WakeAll is the operation after which the next call of Due wakes every tenant, at a time in Unix seconds.
func WakeAll(now int64, destination string) store.Op {
	return store.PutItem(store.Send(now, everyTenant, destination), nil)
}

// Begin returns the operation that makes a new destination begin at the current end of a tenant's log, and the sequence
// number after which it begins.
func Begin(ctx context.Context, ts *store.TenantStore, destination string) (store.Op, int64, error) {
	items, err := ts.Get(ctx, ts.LogHead())
	if err != nil {
		return store.Op{}, 0, err
	}
	head := eventlog.DecodeHead(items[0])
	s := State{Position: head.Sequence}
	if head.Sequence > 0 {
		s.Epoch = head.Epoch
	}
	return s.Put(ts.Keys, destination), head.Sequence, nil
}

// Of reads how far a destination has got the log of a tenant; ok is false if it has not begun.
func Of(ctx context.Context, ts *store.TenantStore, destination string) (State, bool, error) {
	items, err := ts.Get(ctx, ts.Destination(destination))
	if err != nil {
		return State{}, false, err
	}
	return Decode(items[0])
}

// Change changes a stored state, or the one that a destination without one begins with, and wakes the delivery. The
// error is ErrStale if the state changes all the time.
func Change(ctx context.Context, ts *store.TenantStore, destination string, change func(*State)) error {
	const tries = 5
	var err error
	for range tries {
		var s State
		if s, _, err = Of(ctx, ts, destination); err != nil {
			return err
		}
		change(&s)
		op := s.Put(ts.Keys, destination)
		op.Set[store.AttrWake] = store.WakeDeliver
		if err = stale(ts.Write(ctx, op)); err != store.ErrStale { //nolint:errorlint // stale returns it as it is
			return err
		}
	}
	return err
}

// Replay lets a destination have the events after a sequence number again, at once. The error is an eventlog.GoneError
// if they can't be had.
func Replay(ctx context.Context, ts *store.TenantStore, d Destination, p eventlog.Page, after int64) error {
	return Change(ctx, ts, d.ID(), func(s *State) {
		if s.Since > 0 && s.Since != milli(d.Since()) { // of a former one; a clock may have gone back
			*s = State{version: s.version}
		}
		*s = s.resume()
		s.Position, s.Epoch, s.Since, s.Lease = after, "", milli(d.Since()), 0
		if p.Last > 0 {
			s.Epoch = p.Epoch
		}
	})
}
