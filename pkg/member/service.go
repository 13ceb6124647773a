package member

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/publish"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Service publishes members, and answers for them. It is safe for concurrent use.
type Service struct {
	store     *store.Store
	o         Options
	policies  *policies.Policies
	publisher *publish.Publisher
}

// New creates a Service.
func New(s *store.Store, o Options) *Service {
	if o.Wake == nil {
		o.Wake = func(string) {}
	}
	all := policies.New(s, o.Now, o.Wake)
	return &Service{store: s, o: o, policies: all, publisher: publish.New(s, all, o)}
}

// marks commits a transaction that marks something.
func (s *Service) marks(ctx context.Context, ts *store.TenantStore, tx *store.Tx) error {
	err := tx.Commit(ctx, ts)
	s.o.Wake(ts.TenantID())
	return err
}

// Events reads a tenant's log.
func (s *Service) Events(ctx context.Context, t Tenant, after eventlog.Place, count int) (eventlog.Page, error) {
	ts := s.store.Tenant(t.ID)
	page, err := eventlog.Read(ctx, ts, after, count, s.oldest(t))
	if err != nil {
		return page, err
	}
	return page, joinManagers(ctx, ts, page.Events)
}

// oldest is the time from which on events are kept.
func (s *Service) oldest(t Tenant) time.Time {
	if t.Retention > 0 {
		return s.o.Now().Add(-t.Retention)
	}
	return time.Time{}
}

// joinManagers adds the names of managers, as they are now, to members in events.
func joinManagers(ctx context.Context, ts *store.TenantStore, events []eventlog.Numbered) error {
	var managers []scim.Object
	names := map[string]string{}
	for _, e := range events {
		data, _ := e.Object["data"].(scim.Object)
		m, _ := data["member"].(scim.Object)
		manager, _ := m["manager"].(scim.Object)
		if id, ok := manager["id"].(string); ok {
			managers, names[id] = append(managers, manager), ""
		}
	}
	if err := record.MemberNames(ctx, ts, names); err != nil {
		return err
	}
	for _, manager := range managers {
		manager["displayName"] = record.OrNull(names[manager["id"].(string)])
	}
	return nil
}

// maxPending bounds the count of Pending.
const maxPending = 10_000

// Pending counts the marked subjects of a tenant, up to 10,000.
func (s *Service) Pending(ctx context.Context, t Tenant) (int, error) {
	ts := s.store.Tenant(t.ID)
	n := 0
	q := store.Query{PK: ts.MarkerPrefix("").PK, Select: store.CountOnly, Limit: maxPending}
	for {
		page, err := ts.Query(ctx, q)
		n += page.Count
		if err != nil || !page.More || n >= maxPending {
			return n, err
		}
		q.After = page.Last
	}
}

// lookAgain is the interval at which EventsWithin looks for events that another process has published.
const lookAgain = 500 * time.Millisecond

// EventsWithin is Events, but delays an answer without events for up to wait.
func (s *Service) EventsWithin(
	ctx context.Context, t Tenant, after eventlog.Place, count int, wait time.Duration,
) (eventlog.Page, error) {
	page, err := s.Events(ctx, t, after, count)
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for err == nil && len(page.Events) == 0 {
		select {
		case <-waiting.Done():
			return page, ctx.Err()
		case <-tick.C:
			page, err = s.Events(ctx, t, after, count)
		}
	}
	return page, err
}
