package delivery

import (
	"context"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// begin sets the position of a destination that has none yet.
func (r *run) begin(ctx context.Context, d Destination, s *State) (err error) {
	if since := d.Since(); !since.IsZero() {
		s.Since = milli(since)
		s.Position, err = eventlog.Since(ctx, r.ts, since)
	}
	return err
}

// listed reports whether d is still the destination of its id. If a state is newer, d was removed and created again
// since it was listed. But if d is listed still, the clock went back before d was created, and the state is the former
// one's.
func (r *run) listed(ctx context.Context, d Destination) (bool, error) {
	all, err := r.o.Destinations(ctx, r.ts.TenantID())
	return slices.ContainsFunc(all, func(now Destination) bool {
		return now.ID() == d.ID() && milli(now.Since()) == milli(d.Since())
	}), err
}

// restart replaces the state of a destination that was removed by that of the one created under its id.
func (r *run) restart(ctx context.Context, d Destination, s *State) error {
	due := s.Due
	*s = State{version: s.version}
	if err := r.begin(ctx, d, s); err != nil {
		return err
	}
	ops := append([]store.Op{s.Put(r.ts.Keys, d.ID())}, s.dueOps(r.ts.TenantID(), d.ID(), due)...)
	if err := r.commit(ctx, ops); err != nil {
		return err
	}
	*s = s.written()
	return nil
}
