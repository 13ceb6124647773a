package tenant

import (
	"context"
	"crypto/hmac"
	"errors"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
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
func (s *Service) Authenticate(ctx context.Context, tenantID string, b Bearer) (*Tenant, *Token, error) {
	t, token, err := s.authenticate(ctx, tenantID, b)
	s.remember(tenantID, b, remembered{t, token}, err == nil)
	return t, token, err
}

// authenticate is Authenticate without the entry for Recall.
func (s *Service) authenticate(ctx context.Context, tenantID string, b Bearer) (*Tenant, *Token, error) {
	if access, ok := record.ParseAccess(b.Value); ok {
		return s.authenticateAccess(ctx, tenantID, access)
	}
	if _, ok := ParseToken(b.Value); !ok {
		return nil, nil, record.Unauthorized()
	}
	r, err := s.seen(ctx, tenantID)
	if errors.Is(err, ErrNotFound) || err == nil && r.Life != record.Active {
		return nil, nil, record.Unauthorized()
	}
	if err != nil {
		return nil, nil, err
	}
	match, now := r.Match(b.Digest), s.o.Now()
	t := r.Shared(tenantID, now)
	if err := s.refusal(ctx, r, t, match, now); err != nil {
		return nil, nil, err
	}
	for i := range t.Tokens {
		if t.Tokens[i].ID == match.ID {
			return t, &t.Tokens[i], nil
		}
	}
	return nil, nil, record.Unauthorized()
}

// refusal is the reason why a token of a tenant is not let in; nil if it is. m is nil for an unknown one.
func (s *Service) refusal(ctx context.Context, r *record.Record, t *Tenant, m *rotation.Token, now time.Time) error {
	if m == nil || !m.Remembered(now) {
		return unauthorized(t, "", "")
	}
	switch m.State(now) {
	case TokenRevoked:
		s.o.Log.WarnContext(ctx, "revoked token used", "tenant", t.ID, "token", m.ID)
		return unauthorized(t, m.ID, "")
	case TokenExpired:
		s.o.Log.WarnContext(ctx, "expired token used", "tenant", t.ID, "token", m.ID)
		return unauthorized(t, m.ID, "The bearer token expired on "+
			record.Unix(m.Expires).Format(time.RFC3339)+". Enter a new one in the identity provider.")
	}
	if r.Off {
		return &SwitchedOffError{TenantID: t.ID, Tenant: t, TokenID: m.ID}
	}
	return nil
}

// unauthorized returns the error for an invalid token, with the tenant for its log. detail is for an expired token
// only.
func unauthorized(t *Tenant, tokenID, detail string) error {
	e := &UnauthorizedError{Detail: detail, Tenant: t, TokenID: tokenID}
	if detail == "" {
		var same *UnauthorizedError
		_ = errors.As(record.Unauthorized(), &same)
		e.Detail = same.Detail
	}
	return e
}

// authenticateAccess is Authenticate for an access token. It reads the tenant and, for a client of the operator, that
// client in the same call. The token that it returns has the id of the client.
func (s *Service) authenticateAccess(ctx context.Context, tenantID string, a record.Access) (*Tenant, *Token, error) {
	if !record.ValidID(tenantID) {
		return nil, nil, record.Unauthorized()
	}
	keys := []store.Key{store.KeysOf(tenantID).Tenant()}
	if record.OfOperator(a.Client) {
		keys = append(keys, store.OperatorClient(a.Client))
	}
	items, err := s.store.Get(ctx, keys...)
	if err != nil {
		return nil, nil, err
	}
	r, err := s.known(items[0])
	if errors.Is(err, ErrNotFound) {
		return nil, nil, record.Unauthorized()
	}
	if err != nil {
		return nil, nil, err
	}
	now := s.o.Now()
	if r.Life != record.Active {
		return nil, nil, record.Unauthorized()
	}
	t := r.Shared(tenantID, now)
	if !hmac.Equal(a.MAC, r.Seal(tenantID, a.Body)) {
		return nil, nil, unauthorized(t, "", "")
	}
	client := r.Client(a.Client)
	if len(items) > 1 && slices.Contains(r.Settings.OAuth.Clients, a.Client) {
		c, _, err := record.DecodeClient(items[1])
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, nil, err
		}
		client = &c.ClientRecord
	}
	if client == nil || client.Credential(a.Credential) == nil {
		return nil, nil, unauthorized(t, a.Client, "")
	}
	if now.Unix() >= a.Expires {
		return nil, nil, unauthorized(t, a.Client, "The access token expired on "+
			record.Unix(a.Expires).Format(time.RFC3339)+". Request a new one from the token endpoint.")
	}
	if r.Off {
		return nil, nil, &SwitchedOffError{TenantID: tenantID, Tenant: t, TokenID: a.Client}
	}
	allowed := slices.DeleteFunc(a.Scopes, func(scope Scope) bool { return !slices.Contains(client.Allowed(), scope) })
	token := &Token{ID: a.Client, State: TokenActive, Scopes: allowed, ExpiresAt: record.Unix(a.Expires)}
	return t, token, nil
}
