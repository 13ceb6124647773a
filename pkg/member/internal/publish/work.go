package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/pass"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/sweep"
)

// Publish handles the markers of a tenant: those of single members first, then one step of one for many, and so on,
// until there are none or the time is up. It reports whether any are left. First it numbers the announced events; in a
// silent tenant it only goes on with erasing after that. A marker whose work fails does not keep the others waiting:
// its error is returned after them.
func (s *Publisher) Publish(ctx context.Context, t policies.Tenant, most time.Duration) (left bool, err error) {
	ts := s.store.Tenant(t.ID)
	err = s.Alone(ctx, t.ID, func() error { return s.number(ctx, t, ts) })
	if err != nil {
		return true, err
	}
	if t.Silent {
		return s.eraseOn(ctx, t, ts)
	}
	f := failures{seen: map[string]bool{}}
	for until := s.o.Now().Add(most); ; {
		var more bool
		err := s.Alone(ctx, t.ID, func() (err error) {
			more, err = s.round(ctx, t, ts, &f)
			return err
		})
		if err != nil {
			return true, err
		}
		if !more {
			return f.first != nil, f.first
		}
		if s.o.Now().After(until) {
			return true, nil
		}
	}
}

// workFor is the time for which Work publishes in one call, so that no tenant holds up another.
const workFor = 20 * time.Second

// Work works the markers of a tenant as Publish does. If that takes long, it wakes itself again for the rest.
func (s *Publisher) Work(ctx context.Context, t policies.Tenant) error {
	left, err := s.Publish(ctx, t, workFor)
	if err != nil || !left {
		return err
	}
	_, err = s.again(ctx, t.ID)
	return err
}

// failures are the markers whose work failed in one call of Publish.
type failures struct {
	seen  map[string]bool // by sort key and stamp: a newer marker is tried
	users int             // how many of them are of single members
	first error
}

func (f *failures) has(m marker.Marker) bool { return f.seen[m.Key.SK+m.Stamp] }

// general reports whether an error is not that of one marker: others would fail as well.
func general(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, store.ErrStale) || directory.IsBusy(err)
}

// add notes the failure of a marker, if err is one. It returns an error that is not the marker's own.
func (f *failures) add(ctx context.Context, m marker.Marker, err error) error {
	if err == nil || general(ctx, err) {
		return err
	}
	f.seen[m.Key.SK+m.Stamp] = true
	if m.Subject.Kind == marker.User {
		f.users++
	}
	if f.first == nil {
		f.first = fmt.Errorf("marker %q: %w", m.Key.SK, err)
	}
	return nil
}

// round publishes some marked members, or does one step of a pass if there are none. It reports false if nothing is
// marked but what has failed before.
func (s *Publisher) round(ctx context.Context, t policies.Tenant, ts *store.TenantStore, f *failures) (bool, error) {
	all, err := marker.List(ctx, ts, marker.User, PeopleAtOnce+f.users)
	if err != nil {
		return false, err
	}
	if all = slices.DeleteFunc(all, f.has); len(all) > 0 {
		return true, s.marked(ctx, t, all, f)
	}
	many, err := pass.Wide(ctx, ts)
	if err != nil {
		return false, err
	}
	for _, m := range many {
		if f.has(m) {
			continue
		}
		err := s.passes.Step(ctx, t, m)
		if errors.Is(err, pass.ErrMarked) && f.users == 0 {
			return true, nil // another process has marked members
		}
		return true, f.add(ctx, m, err)
	}
	return false, nil
}

// marked publishes the members of markers together, or each alone if that fails.
func (s *Publisher) marked(ctx context.Context, t policies.Tenant, all []marker.Marker, f *failures) error {
	ids := make([]string, len(all))
	for i, m := range all {
		ids[i] = m.Subject.ID
	}
	err := s.people(ctx, t, Job{Ids: ids})
	if err == nil || general(ctx, err) {
		return err
	}
	for _, m := range all {
		if err := f.add(ctx, m, s.people(ctx, t, Job{Ids: []string{m.Subject.ID}})); err != nil {
			return err
		}
	}
	return nil
}

// attrAgain is the time at which the publication of a marker was woken again.
const attrAgain = "again"

// late is the age of a marker from which on a warning is logged.
const late = time.Hour

// again wakes the publication of a tenant in which anything is marked, as a new marker does, and reports whether
// anything is. It reads one marker at most.
func (s *Publisher) again(ctx context.Context, tenantID string) (bool, error) {
	ts := s.store.Tenant(tenantID)
	page, err := ts.Query(ctx, store.Query{PK: ts.MarkerPrefix("").PK, Limit: 1})
	if err != nil || len(page.Items) == 0 {
		return false, err
	}
	if at, _ := page.Items[0].Attrs[marker.AttrAt].(int64); s.o.Now().Sub(time.UnixMilli(at)) > late {
		s.o.Log.WarnContext(ctx, "publishing late", "tenant", tenantID, "since", time.UnixMilli(at).UTC())
	}
	// The table's stream reports only items that change, so an attribute does. The stamp stays: there is no newer
	// change.
	err = ts.Write(ctx, store.Op{
		Kind: store.Update, Key: page.Items[0].Key, Set: store.Attrs{attrAgain: s.o.Now().UnixMilli()},
		If: []store.Cond{store.IsThere()},
	})
	var gone *store.ConditionError
	if err != nil && !errors.As(err, &gone) {
		return true, err
	}
	s.o.Wake(tenantID)
	return true, nil
}

// Sweep asks every tenant for markers, once in 24 hours, and wakes the publication of those that have any: a wake-up
// may have been lost. visit, if not nil, gets each entry of the list of tenants as well. It reads one marker a tenant,
// notes its progress, and stops if until is over; the next call goes on.
func (s *Publisher) Sweep(
	ctx context.Context, visit func(context.Context, store.Item), until func() bool,
) error {
	daily := sweep.Daily{Store: s.store, Progress: store.Swept, Now: s.o.Now}
	return daily.Run(ctx, until, func(ctx context.Context, item store.Item) error {
		if visit != nil {
			visit(ctx, item)
		}
		_, err := s.again(ctx, item.SK)
		return err
	})
}
