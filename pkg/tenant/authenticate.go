package tenant

import (
	"context"
	"crypto/hmac"
	"errors"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// Authenticate authenticates the sender of a request to a tenant. b is the token of its Authorization header. It may
// be an access token of an OAuth client (see Grant).
//
// It returns the same *UnauthorizedError for a token that is missing, malformed, unknown, revoked or another tenant's,
// and for a tenant that does not exist or is deleted. Only the error for an expired token of the tenant says when it
// expired. It returns a *SwitchedOffError for valid tokens only. Any other error is the table's (see Temporary).
//
// A malformed token costs no read. Any other token costs one strongly consistent read of one item, so that a change by
// an administrator holds from the next request on.
func (s *Service) Authenticate(ctx context.Context, tenantID string, b Bearer) (Tenant, Token, error) {
	t, token, err := s.authenticate(ctx, tenantID, b)
	s.remember(tenantID, b, remembered{t, token}, err == nil)
	return t, token, err
}

// authenticate is Authenticate without the entry for Recall.
func (s *Service) authenticate(ctx context.Context, tenantID string, b Bearer) (Tenant, Token, error) {
	if access, ok := record.ParseAccess(b.Value); ok {
		return s.authenticateAccess(ctx, tenantID, access)
	}
	if _, ok := ParseToken(b.Value); !ok {
		return Tenant{}, Token{}, record.Unauthorized()
	}
	r, err := s.seen(ctx, tenantID)
	if errors.Is(err, ErrNotFound) {
		return Tenant{}, Token{}, record.Unauthorized()
	}
	if err != nil {
		return Tenant{}, Token{}, err
	}
	now := s.o.Now()
	match := r.Match(b.Digest)
	if r.Life != record.Active {
		return Tenant{}, Token{}, record.Unauthorized()
	}
	if match == nil || !match.Remembered(now) {
		return Tenant{}, Token{}, unauthorized(r.Tenant(tenantID, now), "", "")
	}
	switch match.State(now) {
	case TokenRevoked:
		s.o.Log.WarnContext(ctx, "revoked token used", "tenant", tenantID, "token", match.ID)
		return Tenant{}, Token{}, unauthorized(r.Tenant(tenantID, now), match.ID, "")
	case TokenExpired:
		s.o.Log.WarnContext(ctx, "expired token used", "tenant", tenantID, "token", match.ID)
		return Tenant{}, Token{}, unauthorized(r.Tenant(tenantID, now), match.ID, "The bearer token expired on "+
			record.Unix(match.Expires).Format(time.RFC3339)+". Enter a new one in the identity provider.")
	}
	if r.Off {
		t := r.Tenant(tenantID, now)
		return Tenant{}, Token{}, &SwitchedOffError{TenantID: tenantID, Tenant: &t, TokenID: match.ID}
	}
	t := r.Tenant(tenantID, now)
	for _, token := range t.Tokens {
		if token.ID == match.ID {
			return t, token, nil
		}
	}
	return Tenant{}, Token{}, record.Unauthorized()
}

// unauthorized returns the error for an invalid token, with the tenant for its log. detail is for an expired token
// only.
func unauthorized(t Tenant, tokenID, detail string) error {
	e := &UnauthorizedError{Detail: detail, Tenant: &t, TokenID: tokenID}
	if detail == "" {
		var same *UnauthorizedError
		_ = errors.As(record.Unauthorized(), &same)
		e.Detail = same.Detail
	}
	return e
}

// authenticateAccess is Authenticate for an access token. It reads the tenant and, for a client of the operator, that
// client in the same call. The token that it returns has the id of the client.
func (s *Service) authenticateAccess(ctx context.Context, tenantID string, a record.Access) (Tenant, Token, error) {
	if !record.ValidID(tenantID) {
		return Tenant{}, Token{}, record.Unauthorized()
	}
	keys := []store.Key{store.KeysOf(tenantID).Tenant()}
	if record.OfOperator(a.Client) {
		keys = append(keys, store.OperatorClient(a.Client))
	}
	items, err := s.store.Get(ctx, keys...)
	if err != nil {
		return Tenant{}, Token{}, err
	}
	r, err := s.known(items[0])
	if errors.Is(err, ErrNotFound) {
		return Tenant{}, Token{}, record.Unauthorized()
	}
	if err != nil {
		return Tenant{}, Token{}, err
	}
	now := s.o.Now()
	if r.Life != record.Active {
		return Tenant{}, Token{}, record.Unauthorized()
	}
	t := r.Tenant(tenantID, now)
	if !hmac.Equal(a.MAC, r.Seal(tenantID, a.Body)) {
		return Tenant{}, Token{}, unauthorized(t, "", "")
	}
	client := r.Client(a.Client)
	if len(items) > 1 && slices.Contains(r.Settings.OAuth.Clients, a.Client) {
		c, _, err := record.DecodeClient(items[1])
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Tenant{}, Token{}, err
		}
		client = &c.ClientRecord
	}
	if client == nil || client.Credential(a.Credential) == nil {
		return Tenant{}, Token{}, unauthorized(t, a.Client, "")
	}
	if now.Unix() >= a.Expires {
		return Tenant{}, Token{}, unauthorized(t, a.Client, "The access token expired on "+
			record.Unix(a.Expires).Format(time.RFC3339)+". Request a new one from the token endpoint.")
	}
	if r.Off {
		return Tenant{}, Token{}, &SwitchedOffError{TenantID: tenantID, Tenant: &t, TokenID: a.Client}
	}
	allowed := slices.DeleteFunc(a.Scopes, func(scope Scope) bool { return !slices.Contains(client.Allowed(), scope) })
	token := Token{ID: a.Client, State: TokenActive, Scopes: allowed, ExpiresAt: record.Unix(a.Expires)}
	return t, token, nil
}
