package delivery

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Destination is a receiver of the events of tenants.
type Destination interface {
	// ID names it, the same in all processes. Those that may come and go begin with Transient.
	ID() string
	// Active reports whether it gets events at present. If not, it costs nothing but being listed.
	Active() bool
	// Wants reports whether it gets events of a type.
	Wants(eventType string) bool
	// Since is the time of its creation: it gets no earlier events. The zero time means all events that are kept.
	Since() time.Time
	// Resumed is when a person last switched it on; the zero time: never.
	Resumed() time.Time
	// Lasting destinations are tried for ever, and never paused.
	Lasting() bool
	// Send sends events, oldest first, at least one, and returns the result within SendFor. It may stop early without a
	// failure.
	Send(ctx context.Context, events []eventlog.Numbered) Outcome
}

// Transient begins the ids of destinations that may be removed. Their stored states are deleted then.
const Transient = "wh_"

const (
	// SendFor bounds one call of Send.
	SendFor = 50 * time.Second
	// leaseFor is the time of a lease: longer than Send and the write after it.
	leaseFor = 70 * time.Second
	// batch is the maximum number of events sent under one lease, and page the number read at a time.
	batch = 50
	page  = 100
	// If a destination wants none of the events read, its position is stored after this many events, or if they are
	// that old: to read fewer again costs less than a write.
	skipMost = 50
	skipOld  = 24 * time.Hour
)

// Options of a Worker. All are required but Alone, Jitter and Budget.
type Options struct {
	Now    func() time.Time
	Logger *slog.Logger
	// Log returns the log of a tenant; the zero Log if there is no such tenant.
	Log func(ctx context.Context, tenantID string) (Log, error)
	// Destinations returns all destinations of a tenant's events.
	Destinations func(ctx context.Context, tenantID string) ([]Destination, error)
	// Paused writes put, which pauses a destination, and the notices of it, in one transaction.
	Paused func(ctx context.Context, tenantID, destination string, s State, put store.Op) error
	// Gone switches a destination off that wants no more events.
	Gone func(ctx context.Context, tenantID, destination string) error
	// Alone says that no other process writes to the table, as with an embedded engine. A lease from before New is one
	// of a process that has ended, and excludes nobody.
	Alone bool
	// Jitter returns a random number from 0 up to 1; nil takes math/rand.
	Jitter func() float64
	// Budget is how long one call of Work begins to send; 0 is 40 seconds.
	Budget time.Duration
}

// Reader reads events as eventlog.Read does, those only that are kept, complete with all that receivers get.
type Reader func(ctx context.Context, place eventlog.Place, count int) (eventlog.Page, error)

// Log is a tenant's log.
type Log struct {
	Read Reader
	// Heard is called once all destinations have a log that has ended; nil if the log goes on. It must be safe to call
	// twice.
	Heard func(ctx context.Context) error
	// Ended reports whether Read has seen the last event of a log without Heard: it has ended meanwhile. nil: never.
	Ended func() bool
}

// Worker takes logs to destinations. It is safe for concurrent use.
type Worker struct {
	store *store.Store
	o     Options
	begun time.Time
}

// New creates a Worker.
func New(st *store.Store, o Options) *Worker {
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Budget == 0 {
		o.Budget = 40 * time.Second
	}
	return &Worker{store: st, o: o, begun: o.Now()}
}

// Left is the rest that a call of Work has left undone.
type Left struct {
	// More says that there was no time for all: call again.
	More bool
	// Due is the time of the next attempt for a destination that failed. It is zero if no attempt is due.
	Due time.Time
	// Leased is the end of the last lease that another worker holds. It is zero if there is none. That worker may
	// have died, so somebody must call again at that time.
	Leased time.Time
}

// Work delivers the log of a tenant up to its end, to all destinations at the same time. A refusal by a destination
// is no error: its state says when to try again. An error is the store's; call again. Work may be killed at any
// point, and may run in several places at once.
func (w *Worker) Work(ctx context.Context, tenantID string) (Left, error) {
	budget, cancel := context.WithTimeout(ctx, w.o.Budget) // by the machine's clock: the program's may be moved
	defer cancel()
	r := &run{
		Worker: w, ts: w.store.Tenant(tenantID), over: func() bool { return budget.Err() != nil },
		pages: map[eventlog.Place]eventlog.Page{},
	}
	// States first: a destination that has one is listed, unless it was removed.
	states, err := r.states(ctx)
	if err != nil {
		return Left{}, err
	}
	all, err := w.o.Destinations(ctx, tenantID)
	if err != nil {
		return Left{}, err
	}
	if err := r.forget(ctx, states, all); err != nil {
		return Left{}, err
	}
	log, err := w.o.Log(ctx, tenantID)
	if err != nil || log.Read == nil {
		return Left{}, err
	}
	r.log = log.Read
	var g task.Group
	for _, d := range all {
		if s, stored := states[d.ID()]; d.Active() {
			g.Go(func() error { return r.follow(ctx, d, s, stored) })
		}
	}
	err = g.Wait()
	if log.Ended != nil && log.Ended() { // some may have looked before it ended, and all have to have heard
		r.left.More = true
	}
	if err == nil && r.left == (Left{}) && log.Heard != nil && ctx.Err() == nil {
		err = log.Heard(ctx)
	}
	return r.left, err
}

// forget deletes the states of destinations that were removed.
func (r *run) forget(ctx context.Context, states map[string]State, all []Destination) error {
	for id := range states {
		listed := slices.ContainsFunc(all, func(d Destination) bool { return d.ID() == id })
		if listed || !strings.HasPrefix(id, Transient) {
			continue
		}
		if err := r.ts.Write(ctx, store.RemoveItem(r.ts.Destination(id))); err != nil {
			return err
		}
	}
	return nil
}

// run is one call of Work.
type run struct {
	*Worker
	ts   *store.TenantStore
	log  Reader
	over func() bool // there is no time for more

	mu    sync.Mutex
	left  Left
	pages map[eventlog.Place]eventlog.Page
}

// states reads the states of the tenant's destinations.
func (r *run) states(ctx context.Context) (map[string]State, error) {
	all := map[string]State{}
	for item, err := range r.ts.All(ctx, store.Query{PK: r.ts.Destinations()}) {
		if err != nil {
			return nil, err
		}
		s, _, err := Decode(item)
		if err != nil {
			return nil, err
		}
		all[item.SK] = s
	}
	return all, nil
}

// follow sends the log to one destination.
func (r *run) follow(ctx context.Context, d Destination, s State, stored bool) error {
	if !stored {
		if err := r.begin(ctx, d, &s); err != nil {
			return err
		}
	}
	for {
		var again bool
		var err error
		switch {
		case s.Outlived(d.Since()):
			again, err = true, r.restart(ctx, d, &s)
		case s.Since > milli(d.Since()):
			if again, err = r.listed(ctx, d); again && err == nil {
				err = r.restart(ctx, d, &s)
			}
		case !r.mayTry(d, &s):
			return nil
		case r.over():
			r.more()
			return nil
		default:
			again, err = r.step(ctx, d, &s)
		}
		if errors.Is(err, store.ErrStale) {
			// Another worker or a person was faster. The log that was read may be newer than the one that the other
			// saw.
			again, err = true, r.reread(ctx, d, &s)
		}
		if err != nil || !again {
			return err
		}
	}
}

// mayTry reports whether the destination may be tried now, and takes it out of a pause that has ended.
func (r *run) mayTry(d Destination, s *State) bool {
	now, resumed := r.o.Now().UnixMilli(), milli(d.Resumed())
	if s.Lease > now && !r.abandoned(*s) {
		r.leasedTo(s.Lease)
		return false
	}
	if s.Paused > 0 {
		if s.PausedFor(d.Resumed()) {
			return false
		}
		*s = s.resume()
	}
	if s.Due > now {
		if n := len(s.Recent); n == 0 || s.Recent[n-1].At > resumed {
			r.dueAt(s.Due)
			return false
		}
	}
	return true
}

// abandoned reports whether the process that took the lease of a state has ended for certain. It has also if the lease
// is longer than any taken now: that process had a clock that was ahead.
func (w *Worker) abandoned(s State) bool {
	return w.o.Alone &&
		(s.Lease < w.begun.Add(leaseFor).UnixMilli() || s.Lease > w.o.Now().Add(leaseFor).UnixMilli())
}

// step hands over the next events, and reports whether there may be more. ErrStale: the stored state is no longer s.
func (r *run) step(ctx context.Context, d Destination, s *State) (bool, error) {
	if s.Since == 0 { // stored before states had it
		s.Since = milli(d.Since())
	}
	p, err := r.read(ctx, s)
	if gone, isGone := eventlog.IsGone(err); isGone {
		return r.jump(ctx, d, s, p, gone)
	}
	if err != nil || len(p.Events) == 0 {
		return false, err
	}
	var wanted []eventlog.Numbered
	upTo := s.Position
	for _, e := range p.Events {
		if kind, _ := e.Object["type"].(string); d.Wants(kind) {
			if len(wanted) == batch {
				break
			}
			wanted = append(wanted, e)
		}
		upTo = e.Sequence
	}
	s.Epoch = p.Epoch
	if len(wanted) == 0 {
		return true, r.skip(ctx, d, s, p, upTo)
	}
	before := s.Due
	s.Lease = r.o.Now().Add(leaseFor).UnixMilli()
	if err := r.write(ctx, d, s); err != nil {
		return false, err
	}
	return r.send(ctx, d, s, handing{wanted, upTo, before})
}

// handing has the events of one step, the position after them, and the time at which the state was due.
type handing struct {
	events    []eventlog.Numbered
	upTo, due int64
}

// send hands over events under a lease, and writes the result.
func (r *run) send(ctx context.Context, d Destination, s *State, h handing) (bool, error) {
	sending, cancel := context.WithTimeout(ctx, SendFor)
	o := d.Send(sending, h.events)
	cancel()
	if last := h.events[len(h.events)-1].Sequence; o.Accepted == last && !o.Failed && !o.Gone {
		o.Accepted = h.upTo
	}
	// The accepted events are to be noted, and the lease given back, even if the process is being ended.
	ending := ctx.Err()
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	next, follows := decide(*s, o, terms{d.Lasting(), r.o.Jitter()}, r.o.Now())
	if ending != nil && o.Failed { // that is no fault of the destination's
		next, follows = *s, goOn
		next.Lease, next.Position = 0, max(s.Position, o.Accepted)
	}
	if follows == pause {
		return false, r.pause(ctx, d, next, h.due)
	}
	if follows == shutUp {
		if err := r.o.Gone(ctx, r.ts.TenantID(), d.ID()); err != nil {
			return false, err
		}
	}
	*s = next
	ops := append([]store.Op{s.Put(r.ts.Keys, d.ID())}, s.dueOps(r.ts.TenantID(), d.ID(), h.due)...)
	if err := r.commit(ctx, ops); err != nil {
		return false, err
	}
	*s = s.written()
	if follows == wait {
		r.o.Logger.WarnContext(ctx, "delivery will be tried again", "tenant", r.ts.TenantID(), "destination", d.ID(),
			"attempt", s.Attempt, "status", statusOf(*s), "error", errorOf(*s))
		r.dueAt(s.Due)
	}
	return follows == goOn && ending == nil, nil
}

// pause writes a state that is paused now.
func (r *run) pause(ctx context.Context, d Destination, s State, due int64) error {
	r.o.Logger.WarnContext(ctx, "delivery paused", "tenant", r.ts.TenantID(), "destination", d.ID(),
		"status", statusOf(s))
	if err := r.o.Paused(ctx, r.ts.TenantID(), d.ID(), s, s.Put(r.ts.Keys, d.ID())); err != nil {
		return stale(err)
	}
	// An entry that stays after a death here is found to be void.
	for _, op := range s.dueOps(r.ts.TenantID(), d.ID(), due) {
		if err := r.store.Write(ctx, op); err != nil {
			return err
		}
	}
	return nil
}

// jump goes on at the oldest event that is kept.
func (r *run) jump(
	ctx context.Context, d Destination, s *State, p eventlog.Page, gone *eventlog.GoneError,
) (bool, error) {
	start := gone.Start
	if s.Epoch != "" && s.Epoch != p.Epoch {
		start = 0 // another life of the log: all of it is new
	}
	r.o.Logger.WarnContext(ctx, "delivery goes on at the oldest event that is kept", "tenant", r.ts.TenantID(),
		"destination", d.ID(), "position", s.Position, "start", start)
	*s = s.lost(start, p.Epoch, r.o.Now())
	return true, r.write(ctx, d, s)
}

// skip passes over events that the destination does not want.
func (r *run) skip(ctx context.Context, d Destination, s *State, p eventlog.Page, upTo int64) error {
	s.Position = upTo
	n := s.Position - s.stored
	text, _ := p.Events[0].Object["time"].(string)
	at, err := time.Parse(time.RFC3339, text)
	if n < skipMost && err == nil && r.o.Now().Sub(at) < skipOld && s.version > 0 {
		return nil
	}
	return r.write(ctx, d, s)
}

// write stores the state.
func (r *run) write(ctx context.Context, d Destination, s *State) error {
	if err := r.commit(ctx, []store.Op{s.Put(r.ts.Keys, d.ID())}); err != nil {
		return err
	}
	*s = s.written()
	return nil
}

// commit writes one operation alone, several as a transaction.
func (r *run) commit(ctx context.Context, ops []store.Op) error {
	if len(ops) == 1 {
		return stale(r.store.Write(ctx, ops[0]))
	}
	return stale(r.store.Transact(ctx, ops...))
}

// stale makes ErrStale of a condition that does not hold.
func stale(err error) error {
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return store.ErrStale
	}
	return err
}

// reread reads the state again.
func (r *run) reread(ctx context.Context, d Destination, s *State) error {
	items, err := r.ts.Get(ctx, r.ts.Destination(d.ID()))
	if err != nil {
		return err
	}
	next, ok, err := Decode(items[0])
	if err != nil {
		return err
	}
	if !ok { // the destination was removed
		next.Lease = r.o.Now().Add(leaseFor).UnixMilli()
	}
	*s = next
	return nil
}

// read reads the log behind a state. A page that several destinations want is read once, unless it is the end: that
// has to be looked at afresh.
func (r *run) read(ctx context.Context, s *State) (eventlog.Page, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	place := eventlog.Place{After: s.Position, Epoch: s.Epoch}
	if p, ok := r.pages[place]; ok {
		return p, nil
	}
	p, err := r.log(ctx, place, page)
	if err == nil && len(p.Events) > 0 {
		const keep = 4
		if len(r.pages) >= keep {
			clear(r.pages)
		}
		r.pages[place] = p
	}
	return p, err
}

func (r *run) more() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left.More = true
}

// leasedTo notes the end of another's lease, in Unix milliseconds.
func (r *run) leasedTo(ms int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := time.UnixMilli(ms); at.After(r.left.Leased) {
		r.left.Leased = at
	}
}

// dueAt notes when a state is due, in Unix milliseconds.
func (r *run) dueAt(ms int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := time.UnixMilli(ms); r.left.Due.IsZero() || at.Before(r.left.Due) {
		r.left.Due = at
	}
}
