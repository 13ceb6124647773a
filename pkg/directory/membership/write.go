package membership

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Write is one transaction on a tenant's resources.
type Write struct {
	store.Tx
	ts *store.TenantStore
	// Touched are the resources that the application behind may see differently afterwards.
	Touched Touched
	// chunks are written before the transaction, which makes them count; nobody looks at them until then.
	chunks []store.Op
	// step says that the write is a step of open work: readers see the same before and after it.
	step bool
	// work is open work that the transaction leaves behind.
	work []work
	// Told is the change of a resource that a client has asked for and the transaction makes; nil if it makes none.
	Told *Told
}

// Told is a change of a resource that a client has asked for, for the log of changes that clients ask for.
type Told struct {
	// Type is the id of the resource's type, ID its own.
	Type, ID string
	// Before and After are its document without members; nil if it is created or deleted. They must not be changed.
	Before, After scim.Object
	// Joining and Leaving are the values of members of a group.
	Joining, Leaving []string
}

// Touched names the resources that a transaction changes.
type Touched struct {
	// Users are the ids of users who were created, changed or deleted, or became or ceased to be members of a group.
	Users []string
	// Groups are the ids of groups that were created, deleted, or changed in anything but their members.
	Groups []string
	// Joined are groups whose members change, with more users than a transaction names one by one.
	Joined []Joined
}

// Joined are users who become or cease to be members of a group, in one transaction.
type Joined struct {
	Group string
	// Users are their ids; none if the members change by open work, whose steps name them.
	Users []string
}

func (t Touched) isEmpty() bool { return len(t.Users) == 0 && len(t.Groups) == 0 && len(t.Joined) == 0 }

// maxTouched is the number of users that one transaction names one by one.
const maxTouched = 20

// Origin describes the request on whose behalf the writes of a context are made.
type Origin struct {
	// RequestID and TokenID are those of the request; both are empty for work in the background.
	RequestID, TokenID string
	// Silent says that the tenant publishes no members, so nothing is carried.
	Silent bool
	// Record, if set, returns the operation that writes down a change that a client has asked for, in the change's own
	// transaction. It is asked at each attempt; the operation has no condition. Recorded is called when the last
	// attempt is committed; it is required with Record.
	Record   func(k store.Keys, t Told) store.Op
	Recorded func()
}

type originKey struct{}

// WithOrigin returns a context whose writes have the origin o.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf returns the origin of the writes of a context; the zero Origin without WithOrigin.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}

// Carry returns the operations that a transaction has to carry beside its own because of the resources it touches:
// at most one for each resource that t names, and one more. They have no conditions.
type Carry func(k store.Keys, o Origin, t Touched) []store.Op

// Begin is a write of a tenant that does nothing yet.
func Begin(ts *store.TenantStore) *Write { return &Write{ts: ts} }

// leave adds open work, which is rolled forward after the commit.
func (w *Write) leave(open work) {
	w.Add(open.put(w.ts.Keys))
	w.work = append(w.work, open)
}

// Commit writes a transaction. Every transaction on resources goes through it, so this is the one place that adds
// the operations that each of them has to carry.
func (s *Service) Commit(ctx context.Context, w *Write) error {
	carries, err := s.carryAlong(ctx, w)
	if err != nil {
		return err
	}
	origin := OriginOf(ctx)
	records := origin.Record != nil && w.Told != nil
	if records {
		w.Add(origin.Record(w.ts.Keys, *w.Told))
	}
	if err := w.ts.Batch(ctx, w.chunks...); err != nil {
		return err
	}
	err = w.Commit(ctx, w.ts)
	if err == nil && records {
		origin.Recorded()
	}
	if carries {
		s.Carried(w.ts.TenantID())
	}
	var limit *store.LimitError
	if errors.As(err, &limit) {
		err = overLimits(w.Ops())
	}
	var refused *scim.Error
	if len(w.chunks) > 0 && (errors.Is(err, store.ErrStale) || errors.As(err, &refused)) { // else it may have happened
		s.discard(ctx, w.ts, w.chunks)
	}
	return err
}

// Room is the number of operations that a write can still take beside those that it has to carry.
func (s *Service) Room(w *Write) int {
	const record = 1 // see Origin.Record
	if s.Carry == nil || w.Touched.isEmpty() {
		return w.Tx.Room() - record
	}
	return w.Tx.Room() - len(w.Touched.Users) - len(w.Touched.Groups) - len(w.Touched.Joined) - 1 - record
}

// carryAlong adds the operations that a write has to carry, and reports whether it carries any. They are part of
// the transaction: if they were written before it, they could be seen and completed before the change is there. A
// step of open work changes nothing for those who look through it. So if there is no room in its transaction, or
// if it has none, they go before.
func (s *Service) carryAlong(ctx context.Context, w *Write) (bool, error) {
	origin := OriginOf(ctx)
	if s.Carry == nil || origin.Silent || w.Touched.isEmpty() {
		return false, nil
	}
	carried := s.Carry(w.ts.Keys, origin, w.Touched)
	if w.step && (len(carried) > w.Room() || w.Len() == 0) {
		return true, w.ts.Batch(ctx, carried...)
	}
	w.Add(carried...)
	return true, nil
}

// FinishAll rolls forward the open work that a committed write has left, as far as the budget of a request goes.
func (s *Service) FinishAll(ctx context.Context, w *Write) {
	for _, open := range w.work {
		s.finish(ctx, w.ts, open)
	}
}

// overLimits is the answer if an item or a key is over the engine's limits. A client's values are bounded but in two
// things: the size of the whole, and the control characters that keys escape.
func overLimits(ops []store.Op) error {
	for _, op := range ops {
		if len(op.SK) > store.MaxSKBytes {
			return scim.BadRequest(scim.InvalidValue,
				"A value is too long to be searched for: control characters count twice.")
		}
	}
	return scim.BadRequest(scim.InvalidValue,
		"The resource is too large: all its attributes together may take about %d KB.", store.MaxItemBytes>>10)
}

// Taken is the answer to a write that would use a unique value a second time.
func Taken(what, attribute, value string) error {
	return scim.Errorf(409, scim.Uniqueness,
		"Another %s already has the %s %q. Find it with a filter on %s and update it instead.",
		what, attribute, row.Short(value), attribute)
}

// discard removes the chunks of a change that was refused. If that fails, they expire.
func (s *Service) discard(ctx context.Context, ts *store.TenantStore, chunks []store.Op) {
	ops := make([]store.Op, len(chunks))
	for i, chunk := range chunks {
		ops[i] = store.RemoveItem(chunk.Key)
	}
	if err := ts.Batch(ctx, ops...); err != nil {
		s.Log.Warn("chunks of a refused change are left to expire", "tenant", ts.TenantID(), "error", err)
	}
}
