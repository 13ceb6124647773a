package notice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const (
	// sending is the time in which no other process sends a notice that one has claimed. No Lambda function runs as
	// long.
	sending = 16 * time.Minute
	// sendAgain is the delay before a notice that could not be sent is tried again, by the next hourly run. A try that
	// fails lastTry after the first failure is the last: the next would be on another day.
	sendAgain = 40 * time.Minute
	lastTry   = 23 * time.Hour
)

// Errors of a Queue.
var (
	// ErrLater says that a notice waits for its next attempt, or that another process is sending it.
	ErrLater = errors.New("notice: to be sent later")
	// ErrNotFound says that there is no such notice.
	ErrNotFound = errors.New("notice: not found")
	// errState says that a notice can't be marked with a state.
	errState = errors.New("notice: only bounced or failed can be marked")
)

// QueueOptions of a Queue. All are required but Alone.
type QueueOptions struct {
	Now func() time.Time
	// Log takes the results of sending notices, with ids only.
	Log *slog.Logger
	// Process returns an id of this process.
	Process func() string
	// Alone says that no other process works on the table: a notice that another process was sending is then free at
	// once.
	Alone bool
	// Facts adds the facts of its text, as they are now, to a notice that is to be sent, and returns its tenant. ok is
	// false if the notice is no longer true. It is called after the notice was claimed.
	Facts func(ctx context.Context, tenantID string, n Notice) (t Tenant, full Notice, ok bool, err error)
	// Tell writes an event of a tenant together with op, in one transaction. It returns the *store.ConditionError of
	// op.
	Tell func(ctx context.Context, tenantID string, e event.Event, op store.Op) error
}

// Queue sends the notices of tenants, each once. It is safe for concurrent use, in any number of processes.
type Queue struct {
	store *store.Store
	o     QueueOptions
}

// NewQueue returns a Queue on a table.
func NewQueue(st *store.Store, o QueueOptions) *Queue { return &Queue{store: st, o: o} }

// Send passes the pending notices of a tenant to the function send, which returns Sent or Failed. After an error the
// next Send at least 40 minutes later tries again, for a day. All notices are tried; the error joins all errors. If a
// process dies before it has recorded a result, the notice is passed again after 16 minutes, with the same id.
func (q *Queue) Send(
	ctx context.Context, tenantID string, send func(context.Context, Tenant, Notice) (State, error),
) error {
	all, err := q.all(ctx, tenantID)
	if err != nil {
		return err
	}
	var failed error
	for _, n := range all {
		if n.State == Pending {
			failed = errors.Join(failed, q.send(ctx, tenantID, n, send))
		}
	}
	return failed
}

// send sends one notice: it claims it, so that no other process sends it, and records the result. One that is out of
// date is removed.
func (q *Queue) send(
	ctx context.Context, tenantID string, n stored, send func(context.Context, Tenant, Notice) (State, error),
) error {
	now := q.o.Now().Unix()
	if n.after > now || n.until > now && !(q.o.Alone && n.by != q.o.Process()) {
		return ErrLater
	}
	n.by, n.until = q.o.Process(), now+int64(sending/time.Second)
	n.Attempts++
	if err := q.replace(ctx, tenantID, &n); err != nil {
		return err
	}
	t, full, ok, err := q.o.Facts(ctx, tenantID, n.Notice)
	if err != nil {
		return err
	}
	if !ok {
		return q.retract(ctx, tenantID, n)
	}
	state, err := send(ctx, t, full)
	if err != nil && n.failing == 0 {
		n.failing = now
	}
	if err != nil && now-n.failing < int64(lastTry/time.Second) {
		n.by, n.until, n.after = "", 0, now+int64(sendAgain/time.Second)
		return errors.Join(fmt.Errorf("notice: %s: %w", n.Kind, err), q.replace(ctx, tenantID, &n))
	}
	if err != nil || state != Sent {
		q.o.Log.ErrorContext(ctx, "notice failed", "tenant", tenantID, "notice", n.ID,
			"attempts", n.Attempts, "error", err)
		state = Failed
	}
	return q.mark(ctx, tenantID, n, state)
}

// replace writes a notice in place of the version that was read. ErrLater if another process did.
func (q *Queue) replace(ctx context.Context, tenantID string, n *stored) error {
	op, err := n.replace(tenantID)
	if err == nil {
		err = q.store.Transact(ctx, op)
	}
	if err == nil {
		n.version++
	}
	return later(err)
}

// retract removes a notice, if it is unchanged since it was read.
func (q *Queue) retract(ctx context.Context, tenantID string, n stored) error {
	err := q.store.Transact(ctx, store.RemoveItem(key(tenantID, n.ID)).When(store.Is(attrVersion, n.version)))
	if err == nil {
		q.o.Log.InfoContext(ctx, "notice retracted", "tenant", tenantID, "notice", n.ID)
	}
	return later(err)
}

// later returns ErrLater for a condition that does not hold.
func later(err error) error {
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return ErrLater
	}
	return err
}

// Mark records the fate of a sent notice, Bounced or Failed, in one transaction with the event about it. ErrNotFound
// if there is no such notice; marking it again changes nothing.
func (q *Queue) Mark(ctx context.Context, tenantID, noticeID string, state State) error {
	if state != Bounced && state != Failed {
		return errState
	}
	items, err := q.store.Get(ctx, key(tenantID, noticeID))
	if err != nil {
		return err
	}
	if items[0].Attrs == nil {
		return ErrNotFound
	}
	n, err := decode(items[0])
	if err != nil || n.State == state {
		return err
	}
	return q.mark(ctx, tenantID, n, state)
}

// mark records the state of a notice in place of the version that was read, together with the event about it.
func (q *Queue) mark(ctx context.Context, tenantID string, n stored, state State) error {
	n.State, n.by, n.until, n.after, n.failing = state, "", 0, 0, 0
	put, err := n.replace(tenantID)
	if err != nil {
		return err
	}
	e := event.Event{Kind: event.NoticeFailed, Time: q.o.Now(), Data: n.Data()}
	if n.TokenID != "" {
		e.Subject = event.OfToken(n.TokenID)
	}
	switch state {
	case Sent:
		err = q.store.Transact(ctx, put)
	case Bounced:
		e.Kind = event.NoticeBounced
		err = q.o.Tell(ctx, tenantID, e, put)
	default:
		err = q.o.Tell(ctx, tenantID, e, put)
	}
	return later(err)
}

// List returns the notices of a tenant of the last 400 days, oldest first.
func (q *Queue) List(ctx context.Context, tenantID string) ([]Notice, error) {
	all, err := q.all(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b stored) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	notices := make([]Notice, 0, len(all))
	for _, n := range all {
		if q.o.Now().Before(n.At.Add(kept)) {
			notices = append(notices, n.Notice)
		}
	}
	return notices, nil
}

// all reads all notices of a tenant.
func (q *Queue) all(ctx context.Context, tenantID string) ([]stored, error) {
	prefix := store.KeysOf(tenantID).NoticePrefix()
	var all []stored
	for item, err := range q.store.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return nil, err
		}
		n, err := decode(item)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}
