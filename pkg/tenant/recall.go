package tenant

import (
	"maps"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// remembered is whom Authenticate let in last with an Authorization header, and into which tenant.
type remembered struct {
	tenant Tenant
	token  Token
}

// rememberedKey finds it: no value of a token is kept.
type rememberedKey struct {
	tenant string
	digest record.Digest
}

// Recall returns what Authenticate found in this process when it last let this Authorization header in to this tenant;
// ok is false if it did not, or that was forgotten since. It reads nothing and proves nothing: it is there to begin
// with a request's reads while Authenticate runs. Only where what that returns is the Same may anything of them be
// used.
func (s *Service) Recall(tenantID string, b Bearer) (t Tenant, token Token, ok bool) {
	key := rememberedKey{tenantID, b.Digest}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.remembered[key]
	return r.tenant, r.token, ok
}

// remember notes what Recall is to return; ok false makes it forget.
func (s *Service) remember(tenantID string, b Bearer, r remembered, ok bool) {
	key := rememberedKey{tenantID, b.Digest}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok {
		delete(s.remembered, key)
		return
	}
	if len(s.remembered) >= maxKnown {
		clear(s.remembered)
	}
	s.remembered[key] = r
}

// forget makes Recall forget a tenant, whose item was changed: what it would return is not the Same any more.
func (s *Service) forget(tenantID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.remembered, func(key rememberedKey, _ remembered) bool { return key.tenant == tenantID })
}
