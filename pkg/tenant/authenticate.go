package tenant

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// Authenticate finds out who sends a request to a tenant. b is the token of its Authorization header. It may be an
// access token of an OAuth client's (see Grant).
//
// A *UnauthorizedError is one and the same for a token that is missing, malformed, unknown, revoked or another
// tenant's, and for a tenant that does not exist or is deleted; only a token that was good and has expired learns when.
// A *SwitchedOffError is for good tokens only. Any other error is the table's (see Temporary).
//
// A malformed token costs nothing; any other one strongly consistent read of one item, so that what an administrator
// changes holds from the next request on.
func (s *Service) Authenticate(ctx context.Context, tenantID string, b Bearer) (Tenant, Token, error) {
	t, token, err := s.authenticate(ctx, tenantID, b)
	s.remember(tenantID, b, remembered{t, token}, err == nil)
	return t, token, err
}

// authenticate is Authenticate without the note for Recall.
func (s *Service) authenticate(ctx context.Context, tenantID string, b Bearer) (Tenant, Token, error) {
	if access, ok := parseAccess(b.value); ok {
		return s.authenticateAccess(ctx, tenantID, access)
	}
	if _, ok := ParseToken(b.value); !ok {
		return Tenant{}, Token{}, unauthorized()
	}
	r, err := s.seen(ctx, tenantID)
	if errors.Is(err, ErrNotFound) {
		return Tenant{}, Token{}, unauthorized()
	}
	if err != nil {
		return Tenant{}, Token{}, err
	}
	now := s.o.Now()
	match := r.match(b.digest)
	if r.state != active || match == nil || !match.Remembered(now) {
		return Tenant{}, Token{}, unauthorized()
	}
	switch match.State(now) {
	case TokenRevoked:
		s.o.Log.WarnContext(ctx, "revoked token used", "tenant", tenantID, "token", match.ID)
		return Tenant{}, Token{}, unauthorized()
	case TokenExpired:
		s.o.Log.WarnContext(ctx, "expired token used", "tenant", tenantID, "token", match.ID)
		return Tenant{}, Token{}, &UnauthorizedError{Detail: "The bearer token expired on " +
			unix(match.Expires).Format(time.RFC3339) + ". Enter a new one in the identity provider."}
	}
	if r.Off {
		return Tenant{}, Token{}, &SwitchedOffError{TenantID: tenantID}
	}
	t := r.tenant(tenantID, now)
	for _, token := range t.Tokens {
		if token.ID == match.ID {
			return t, token, nil
		}
	}
	return Tenant{}, Token{}, unauthorized()
}

// match finds the stored token of a value. It compares digests in constant time, and all of them, so that the time it
// takes says nothing about them.
func (r *record) match(sum digest) *rotation.Token {
	var match *rotation.Token
	for i := range r.Tokens {
		if subtle.ConstantTimeCompare(r.Tokens[i].Digest, sum[:]) == 1 {
			match = &r.Tokens[i]
		}
	}
	return match
}
