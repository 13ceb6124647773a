package policies

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/policy"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Policies are the policies of the tenants in a store. They are safe for concurrent use.
type Policies struct {
	store *store.Store
	now   func() time.Time
	wake  func(tenantID string)

	mu       sync.Mutex
	compiled map[policyKey]known
	groups   map[groupKey]*mapping.Group
	matched  int64
}

// New are the policies in a store. wake is called with the id of a tenant in which a marker was written.
func New(s *store.Store, now func() time.Time, wake func(tenantID string)) *Policies {
	return &Policies{
		store: s, now: now, wake: wake, compiled: map[policyKey]known{}, groups: map[groupKey]*mapping.Group{},
	}
}

// How many compiled policies and matched groups one process keeps. Beyond it forgets all of them.
const (
	keptPolicies = 400
	keptGroups   = 20_000
)

// policyKey names a compiled policy. Without the version of the tenant's item it names it by its document and the
// tenant's incarnation: groups of an earlier tenant of the same id may have had the ids and versions of present ones.
type policyKey struct {
	tenant, types string
	name          tenant.PolicyName
}

// known is a compiled policy, and its version if it is named by an item.
type known struct {
	policy  *mapping.Policy
	version int64
}

type groupKey struct {
	policy  *mapping.Policy
	id      string
	version int64
}

// Of reads the tenant's policy, compiled once per version, and its version; 0: the tenant has none. It reads the
// tenant's item, and the document, which is up to 64 times as large, only if this process has not since the last save.
func (s *Policies) Of(ctx context.Context, t Tenant) (*mapping.Policy, int64, error) {
	ts := s.store.Tenant(t.ID)
	items, err := ts.Get(ctx, ts.Keys.Tenant())
	if err != nil {
		return nil, 0, err
	}
	name, err := tenant.SavedPolicy(items[0])
	if err != nil {
		return nil, 0, err
	}
	key := policyKey{t.ID, t.TypesVersion, name}
	if name.Version > 0 {
		if k := s.kept(key); k.policy != nil {
			return k.policy, k.version, nil
		}
	}
	doc, err := s.Policy(ctx, t)
	if err != nil {
		return nil, 0, err
	}
	if len(doc.Document) == 0 {
		doc.Document = []byte("{}")
	}
	byDocument := policyKey{t.ID, t.TypesVersion, tenant.PolicyName{
		Digest: policy.Digest(doc.Document), Incarnation: name.Incarnation,
	}}
	p := s.kept(byDocument).policy
	if p == nil {
		if p, _, err = mapping.Parse(doc.Document, t.Types); err != nil {
			return nil, doc.Version, errors.Join(errBrokenPolicy, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.compiled) >= keptPolicies {
		clear(s.compiled)
	}
	s.compiled[byDocument] = known{policy: p}
	if name.Version > 0 {
		s.compiled[key] = known{p, doc.Version}
	}
	return p, doc.Version, nil
}

func (s *Policies) kept(key policyKey) known {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.compiled[key]
}

// errBrokenPolicy says that a saved policy does not go with the tenant's schemas any more.
var errBrokenPolicy = errors.New("member: the saved policy does not go with the tenant's schemas")

// Matches finds the rules that a group passes, once per version of group and policy.
func (s *Policies) Matches(p *mapping.Policy, g directory.GroupOf) *mapping.Group {
	key := groupKey{p, g.ID, g.Version}
	s.mu.Lock()
	m := s.groups[key]
	s.mu.Unlock()
	if m != nil {
		return m
	}
	m = p.Group(g.ID, g.Doc)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.groups) >= keptGroups {
		clear(s.groups)
	}
	s.groups[key] = m
	s.matched++
	return m
}

// Matched is the number of groups whose rules this process keeps, one for each version of the group and the policy.
func (s *Policies) Matched() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.matched
}
