package member

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/policy"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// marks commits a transaction that marks something.
func (s *Service) marks(ctx context.Context, ts *store.TenantStore, tx *store.Tx) error {
	err := tx.Commit(ctx, ts)
	s.o.Wake(ts.TenantID())
	return err
}

// Tenant is what publishing needs to know of a tenant.
type Tenant struct {
	ID string
	// Types are the tenant's resource types; TypesVersion changes whenever they do.
	Types        *schema.Types
	TypesVersion string
	// Version is that of the tenant; only saving a policy asks for it.
	Version int64
	// Silent says that the tenant publishes no members: reading publishes nothing either.
	Silent bool
	// Retention is how long events are kept; 0: always.
	Retention time.Duration
}

// Options of a Service. All are required but Wake.
type Options struct {
	Now func() time.Time
	Log *slog.Logger
	// Directory has the users and groups. Again and Sweep do without.
	Directory *directory.Directory
	// Wake is told of a tenant in which something was marked. It must return at once. nil: the table's stream tells.
	Wake func(tenantID string)
	// Forget, if set, takes a person who is erased out of what else is kept of requests, by the id and the names. done is
	// false if the time was not enough: then the person is not erased yet.
	Forget func(ctx context.Context, tenantID, id string, names []string) (done bool, err error)
}

// Service publishes members, and answers for them. It is safe for concurrent use.
type Service struct {
	store *store.Store
	o     Options

	mu       sync.Mutex
	tenants  map[string]*room
	policies map[policyKey]*mapping.Policy
	groups   map[groupKey]*mapping.Group
}

// New makes a Service.
func New(s *store.Store, o Options) *Service {
	if o.Wake == nil {
		o.Wake = func(string) {}
	}
	return &Service{
		store: s, o: o, tenants: map[string]*room{}, policies: map[policyKey]*mapping.Policy{},
		groups: map[groupKey]*mapping.Group{},
	}
}

// How many compiled policies and matched groups one process keeps. Beyond it forgets all of them.
const (
	keptPolicies = 200
	keptGroups   = 20_000
)

// policyKey names a compiled policy by its document, not by its version: a tenant of the same id may have lived before.
type policyKey struct{ tenant, types, digest string }

type groupKey struct {
	policy  *mapping.Policy
	id      string
	version int64
}

// policyOf reads the tenant's policy, compiled once per version, and its version; 0: the tenant has none.
func (s *Service) policyOf(ctx context.Context, t Tenant) (*mapping.Policy, int64, error) {
	ts := s.store.Tenant(t.ID)
	items, err := ts.Get(ctx, ts.Policy())
	if err != nil {
		return nil, 0, err
	}
	version, _ := items[0].Attrs[record.AttrVer].(int64)
	doc, _ := items[0].Attrs[record.AttrDoc].(string)
	if doc == "" {
		doc = "{}"
	}
	key := policyKey{t.ID, t.TypesVersion, policy.Digest([]byte(doc))}
	s.mu.Lock()
	p := s.policies[key]
	s.mu.Unlock()
	if p != nil {
		return p, version, nil
	}
	if p, _, err = mapping.Parse([]byte(doc), t.Types); err != nil {
		return nil, version, errors.Join(errBrokenPolicy, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.policies) >= keptPolicies {
		clear(s.policies)
	}
	s.policies[key] = p
	return p, version, nil
}

// errBrokenPolicy says that a saved policy does not go with the tenant's schemas any more.
var errBrokenPolicy = errors.New("member: the saved policy does not go with the tenant's schemas")

// matches finds the rules that a group passes, once per version of group and policy.
func (s *Service) matches(p *publication, g directory.GroupOf) *mapping.Group {
	key := groupKey{p.policy, g.ID, g.Version}
	s.mu.Lock()
	m := s.groups[key]
	s.mu.Unlock()
	if m != nil {
		return m
	}
	m = p.policy.Group(g.ID, g.Doc)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.groups) >= keptGroups {
		clear(s.groups)
	}
	s.groups[key] = m
	return m
}

// Get publishes a member and answers it as it is then. found is false if the application was never told of them.
func (s *Service) Get(ctx context.Context, t Tenant, id string) (m record.Member, found bool, err error) {
	ts := s.store.Tenant(t.ID)
	// What stands for many members may stand for this one. It is read first: whoever ends it has marked this one before.
	many, err := wide(ctx, ts)
	if err != nil {
		return record.Member{}, false, err
	}
	items, err := ts.Get(ctx, ts.Marker(string(marker.User), id))
	if err != nil {
		return record.Member{}, false, err
	}
	if !t.Silent && (len(many) > 0 || items[0].Attrs != nil) {
		known, err := s.adoptFirst(ctx, t, id, many)
		if err == nil && !known {
			return s.evaluated(ctx, t, id)
		}
		if err == nil {
			err = s.together(ctx, t, id)
		}
		if errors.Is(err, store.ErrStale) || directory.IsBusy(err) {
			return s.evaluated(ctx, t, id)
		}
		if err != nil {
			return record.Member{}, false, err
		}
	}
	if items, err = ts.Get(ctx, ts.Published(id)); err != nil || items[0].Attrs == nil {
		return record.Member{}, false, err
	}
	if m, err = record.DecodeItem(items[0]); err != nil || m.Forgotten(s.o.Now()) {
		return record.Member{}, false, err
	}
	one := []record.Member{m}
	err = s.join(ctx, t, one)
	return one[0], err == nil, err
}

// evaluated is a member as a publication would make it, if others are so busy that it can't.
func (s *Service) evaluated(ctx context.Context, t Tenant, id string) (record.Member, bool, error) {
	p, err := s.examine(ctx, t, []string{id})
	if err != nil {
		return record.Member{}, false, err
	}
	sub := p.subjects[0]
	c, err := p.change(ctx, sub)
	switch {
	case err != nil:
		return record.Member{}, false, err
	case c != nil:
		c.next.Pending = true
		return c.next, true, nil
	case sub.old != nil:
		sub.old.Pending = true
		return *sub.old, true, nil
	}
	return record.Member{}, false, nil
}

// examine evaluates some people as a publication does, and writes nothing.
func (s *Service) examine(ctx context.Context, t Tenant, ids []string) (*publication, error) {
	policy, version, err := s.policyOf(ctx, t)
	if err != nil {
		return nil, err
	}
	p := &publication{policy: policy, version: version}
	return p, s.try(ctx, t, p, ids, nil)
}

// try is examine with a policy of any kind. carried is how many seats are taken beside.
func (s *Service) try(
	ctx context.Context, t Tenant, p *publication, ids []string, carried map[mapping.TargetKey]int64,
) error {
	p.t, p.ts, p.now = t, s.store.Tenant(t.ID), s.o.Now().UTC()
	for _, id := range ids {
		p.subjects = append(p.subjects, &subject{id: id})
	}
	people, err := s.o.Directory.People(ctx, t.ID, ids)
	if err != nil {
		return err
	}
	for i, person := range people {
		p.subjects[i].person = person
	}
	if err := p.load(ctx); err != nil {
		return err
	}
	if err := s.facts(ctx, p); err != nil {
		return err
	}
	return s.evaluate(ctx, p, carried)
}

// Events reads a tenant's log.
func (s *Service) Events(ctx context.Context, t Tenant, after eventlog.Place, count int) (eventlog.Page, error) {
	oldest := time.Time{}
	if t.Retention > 0 {
		oldest = s.o.Now().Add(-t.Retention)
	}
	ts := s.store.Tenant(t.ID)
	page, err := eventlog.Read(ctx, ts, after, count, oldest)
	if err != nil {
		return page, err
	}
	return page, joinManagers(ctx, ts, page.Events)
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

// Publish works the markers of a tenant: those of single members first, then one step of one that stands for many, and
// so on, until there are none or the time is up. It reports whether any are left. First it numbers what was
// announced; of a silent tenant it does nothing else.
func (s *Service) Publish(ctx context.Context, t Tenant, most time.Duration) (left bool, err error) {
	ts := s.store.Tenant(t.ID)
	err = s.alone(ctx, t.ID, func() error { return s.number(ctx, t, ts) })
	if err != nil {
		return true, err
	}
	if t.Silent {
		return s.eraseOn(ctx, t, ts)
	}
	for until := s.o.Now().Add(most); ; {
		var more bool
		err := s.alone(ctx, t.ID, func() (err error) {
			more, err = s.round(ctx, t, ts)
			return err
		})
		if err != nil || !more {
			return err != nil, err
		}
		if s.o.Now().After(until) {
			return true, nil
		}
	}
}

// maxPending bounds what Pending counts.
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

// lookAgain is how often EventsWithin looks for events that another process has published.
const lookAgain = 500 * time.Millisecond

// EventsWithin is Events, and holds an answer without events back for up to wait.
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
