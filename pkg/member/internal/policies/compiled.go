package policies

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/policy"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Policies are the policies of the tenants in a store. They are safe for concurrent use.
type Policies struct {
	store *store.Store
	now   func() time.Time
	wake  func(tenantID string)

	mu       sync.Mutex
	compiled map[policyKey]*mapping.Policy
	groups   map[groupKey]*mapping.Group
}

// New are the policies in a store. wake is told of a tenant in which something was marked.
func New(s *store.Store, now func() time.Time, wake func(tenantID string)) *Policies {
	return &Policies{
		store: s, now: now, wake: wake, compiled: map[policyKey]*mapping.Policy{}, groups: map[groupKey]*mapping.Group{},
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

// Of reads the tenant's policy, compiled once per version, and its version; 0: the tenant has none.
func (s *Policies) Of(ctx context.Context, t Tenant) (*mapping.Policy, int64, error) {
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
	p := s.compiled[key]
	s.mu.Unlock()
	if p != nil {
		return p, version, nil
	}
	if p, _, err = mapping.Parse([]byte(doc), t.Types); err != nil {
		return nil, version, errors.Join(errBrokenPolicy, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.compiled) >= keptPolicies {
		clear(s.compiled)
	}
	s.compiled[key] = p
	return p, version, nil
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
	return m
}
