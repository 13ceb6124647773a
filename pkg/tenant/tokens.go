package tenant

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Tokens lists the tenant's live tokens and the dead ones of the last 90 days (the last ten of them), oldest first, with
// LastUsedAt.
func (s *Service) Tokens(ctx context.Context, tenantID string) ([]Token, error) {
	t, err := s.Get(ctx, tenantID)
	if err != nil || len(t.Tokens) == 0 {
		return nil, err
	}
	keys := make([]store.Key, len(t.Tokens))
	for i, token := range t.Tokens {
		keys[i] = store.KeysOf(tenantID).Used(token.ID)
	}
	items, err := s.store.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i, item := range items {
		if at, ok := item.Attrs[attrAt].(int64); ok {
			t.Tokens[i].LastUsedAt = unix(at)
		}
	}
	return t.Tokens, nil
}

// Revoke ends a token: no request that begins after Revoke returns gets in with it. A token that is dead already stays as it is.
// ErrNotFound for a token that is not listed.
//
// The table comes first and decides. A process that dies before the vault has forgotten the value leaves one that is good
// for nothing; revoking again removes it, as does the next token that takes its stage.
func (s *Service) Revoke(ctx context.Context, tenantID, tokenID string) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	_, err := s.update(ctx, tenantID, func(r *record) error {
		now := s.o.Now()
		token := r.find(tokenID)
		switch {
		case token == nil || !token.remembered(now):
			return ErrNotFound
		case !token.live(now):
			return errUnchanged
		}
		token.Revoked = now.Unix()
		return nil
	})
	if err != nil {
		return err
	}
	s.o.Log.InfoContext(ctx, "token revoked", "tenant", tenantID, "token", tokenID)
	s.drop(ctx, tenantID, tokenID)
	return nil
}

// drop has the vault forget a dead token. What it can't forget now does no harm.
func (s *Service) drop(ctx context.Context, tenantID, tokenID string) {
	if err := s.secrets.Drop(ctx, tenantID, tokenID); err != nil {
		s.o.Log.WarnContext(ctx, "value of a dead token not removed", "tenant", tenantID, "token", tokenID, "error", err)
	}
}

// Reveal returns the value of a live token, and logs that it did. A *ConflictError for a dead token, or one whose value is not kept.
func (s *Service) Reveal(ctx context.Context, tenantID, tokenID string) (IssuedToken, error) {
	r, err := s.read(ctx, tenantID)
	if err != nil {
		return IssuedToken{}, err
	}
	now := s.o.Now()
	stored := r.find(tokenID)
	if r.state != active || stored == nil || !stored.remembered(now) {
		return IssuedToken{}, ErrNotFound
	}
	if !stored.live(now) {
		return IssuedToken{}, &ConflictError{Detail: "The token is " + string(stored.state(now)) + ". Make a new one instead."}
	}
	value, err := s.secrets.Reveal(ctx, tenantID, tokenID)
	if err == nil && r.match(value) != stored {
		err = ErrNoValue // what is in the vault under this id would not authenticate
	}
	if errors.Is(err, ErrNoValue) {
		s.o.Log.ErrorContext(ctx, "value of a live token is missing", "tenant", tenantID, "token", tokenID)
		return IssuedToken{}, &ConflictError{Detail: "The value of the token is not kept any more. Make a new token, then revoke this one."}
	}
	if err != nil {
		return IssuedToken{}, err
	}
	s.o.Log.InfoContext(ctx, "token revealed", "tenant", tenantID, "token", tokenID)
	for _, token := range r.tokens(now) {
		if token.ID == tokenID {
			return IssuedToken{Token: token, Value: value}, nil
		}
	}
	return IssuedToken{}, ErrNotFound
}
