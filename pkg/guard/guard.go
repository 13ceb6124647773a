package guard

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Service is the guard of all tenants. It is safe for concurrent use, in any number of processes.
type Service struct {
	store   *store.Store
	tenants *tenant.Service
	now     func() time.Time
	log     *slog.Logger
}

// New creates a Service. tenants sends the notices that the guard has tripped.
func New(s *store.Store, tenants *tenant.Service, now func() time.Time, log *slog.Logger) *Service {
	return &Service{store: s, tenants: tenants, now: now, log: log}
}

// Action is a request that the guard counts.
type Action string

// The actions.
const (
	Deactivate Action = "deactivate"
	Delete     Action = "delete"
)

// retryAfter is when an identity provider may try a refused request again.
const retryAfter = 5 * time.Minute

// Pass decides whether a user may be deactivated or deleted. It returns the operations that count the user, for the
// transaction of the request; nil if the user counts already, or a person has permitted all. The error is a *scim.Error
// 503 if the guard has tripped, or trips by this request; store.ErrStale if the numbers have changed meanwhile.
func (s *Service) Pass(
	ctx context.Context, tenantID string, g mapping.Guard, userID string, a Action,
) (*store.Tx, error) {
	ts := s.store.Tenant(tenantID)
	items, err := ts.Get(ctx, ts.Guard(), ts.Guarded(userID), ts.Held(userID))
	if err != nil {
		return nil, err
	}
	n, err := decode(items[0])
	if err != nil {
		return nil, err
	}
	w := windowOf(g, s.now())
	held, isHeld := items[2].Attrs[attrAt].(int64)
	var tx store.Tx
	if isHeld {
		tx.Add(store.RemoveItem(ts.Held(userID)))
	}
	if n.allowed(w) {
		return &tx, nil
	}
	if n.tripped(w) {
		if w.now >= held+noteEvery {
			err = s.hold(ctx, ts, w, userID, a)
		}
		return nil, errors.Join(err, s.note(ctx, ts, n, w), refused())
	}
	if span, counts := items[1].Attrs[attrAt].(int64); counts && w.has(span) {
		return &tx, nil
	}
	counted := n.forget(w) + 1
	if counted > int64(g.People) && g.Percent > 0 && w.now >= n.ActiveAt+w.length {
		// A tenant that publishes no members has none.
		if n.Active, err = ts.Count(ctx, ts.PublishedPrefix("status", "active")); err != nil {
			return nil, err
		}
		n.ActiveAt = w.now
	}
	if counted > n.limit(g) {
		if err := s.trip(ctx, ts, n, w, counted); err != nil {
			return nil, err
		}
		return nil, errors.Join(s.hold(ctx, ts, w, userID, a), refused())
	}
	span := w.present()
	n.Counted[span]++
	n.Since, n.Last, n.Until = 0, 0, 0
	put, err := n.put(ts.Keys)
	if err != nil {
		return nil, err
	}
	tx.Must(put, store.ErrStale)
	tx.Add(store.PutItem(ts.Guarded(userID), store.Attrs{attrAt: span, store.AttrTTL: w.end(span)}))
	return &tx, nil
}

func refused() error {
	return &scim.Error{
		Status: http.StatusServiceUnavailable, RetryAfter: retryAfter,
		Detail: "More users were deactivated or deleted in a short time than the policy of this tenant allows. " +
			"Such requests wait until the operator of the application allows them; all others go on. " +
			"Check in the identity provider whether these users should lose their access.",
	}
}

// trip stores that the guard has tripped, and announces it, in one transaction.
func (s *Service) trip(ctx context.Context, ts *store.TenantStore, n numbers, w window, counted int64) error {
	n.Since, n.Last = w.now, w.now
	put, err := n.put(ts.Keys)
	if err != nil {
		return err
	}
	err = s.tenants.Report(ctx, ts.TenantID(), tenant.Report{
		Op: put, Notices: []notice.Notice{{Kind: notice.GuardTripped}}, Period: n.version,
		Events: []event.Event{{Kind: event.GuardTripped, Data: scim.Object{
			"since": moment(n.Since), "users": counted - 1, "minutes": w.length / 60,
		}}},
	})
	if err == nil {
		s.log.WarnContext(ctx, "guard tripped", "tenant", ts.TenantID(), "users", counted-1)
	}
	return err
}

// hold notes that a request about a user was refused.
func (s *Service) hold(ctx context.Context, ts *store.TenantStore, w window, userID string, a Action) error {
	return ts.Write(ctx, store.PutItem(ts.Held(userID), store.Attrs{
		attrAt: w.now, attrAction: string(a), store.AttrTTL: w.now + w.length + noteEvery,
	}))
}

// note notes when a request was last refused. If others have changed the numbers, it leaves them.
func (s *Service) note(ctx context.Context, ts *store.TenantStore, n numbers, w window) error {
	if w.now < n.Last+noteEvery {
		return nil
	}
	n.Last = w.now
	put, err := n.put(ts.Keys)
	if err != nil {
		return err
	}
	err = ts.Write(ctx, put)
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return nil
	}
	return err
}

// moment writes a time of whole seconds.
func moment(at int64) any {
	if at == 0 {
		return nil
	}
	return time.Unix(at, 0).UTC().Format(time.RFC3339)
}
