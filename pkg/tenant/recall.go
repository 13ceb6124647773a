package tenant

import (
	"maps"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// remembered is the last result of Authenticate for an Authorization header: the tenant and the token.
type remembered struct {
	tenant *Tenant
	token  *Token
}

// rememberedKey is the key of a remembered result. It has no value of a token.
type rememberedKey struct {
	tenant string
	digest record.Digest
}

// Recall returns the result of the last successful Authenticate of this process for this Authorization header and
// tenant; ok is false if there was none, or if it was forgotten since. It reads nothing and proves nothing. A caller
// may start reads with it while Authenticate runs, but may use them only if that returns the Same tenant and token.
func (s *Service) Recall(tenantID string, b Bearer) (t *Tenant, token *Token, ok bool) {
	key := rememberedKey{tenantID, b.Digest}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.remembered[key]
	return r.tenant, r.token, ok
}

// remember stores the result for Recall; if ok is false, it removes it.
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

// forget makes Recall forget a tenant whose item was changed: its result would not be the Same any more.
func (s *Service) forget(tenantID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.remembered, func(key rememberedKey, _ remembered) bool { return key.tenant == tenantID })
}
