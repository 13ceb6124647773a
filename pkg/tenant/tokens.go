package tenant

import (
	"context"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// Tokens lists the tenant's live tokens and the dead ones of the last 90 days (the last ten of them), oldest first,
// with LastUsedAt.
func (s *Service) Tokens(ctx context.Context, tenantID string) ([]Token, error) {
	t, err := s.Get(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	used, err := s.lastUses(ctx, tenantID, record.TokenIDs(t.Tokens))
	for i := range t.Tokens {
		t.Tokens[i].LastUsedAt = record.Unix(used[t.Tokens[i].ID])
	}
	return t.Tokens, err
}

// lastUses reads the times of last use of tokens, clients and their secrets, in Unix seconds by id. An unused id is
// missing.
func (s *Service) lastUses(ctx context.Context, tenantID string, ids []string) (map[string]int64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	keys := store.EachKey(ids, func(id string) store.Key { return store.KeysOf(tenantID).Used(id) })
	items, err := s.store.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	used := map[string]int64{}
	for i, item := range items {
		if at, ok := item.Attrs[attrAt].(int64); ok {
			used[ids[i]] = at
		}
	}
	return used, nil
}

// Revoke ends a token: it authenticates no request that begins after Revoke returns. A token that is dead already
// stays as it is. ErrNotFound for a token that is not listed. Without force it returns a *ConflictError if the token
// was used and no other used token has all its scopes: the identity provider might be cut off.
//
// The table comes first and decides. A process that dies before the vault has removed the value leaves one that
// authenticates nobody. The next run of Rotate removes it, as does revoking again.
func (s *Service) Revoke(ctx context.Context, tenantID, tokenID string, force bool) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	now := s.o.Now()
	r, err := s.update(ctx, tenantID, func(r *record.Record) error {
		token := r.Find(tokenID)
		switch {
		case token == nil || !token.Remembered(now):
			return ErrNotFound
		case !token.Live(now):
			return errUnchanged
		case !force && r.Needed(token, now):
			return &ConflictError{Detail: "The token is in use, and no other token that is in use has all its " +
				"scopes. Rotate it first, or revoke it with force."}
		}
		r.Revoke(now, token, "revoked")
		return nil
	})
	if err != nil {
		return err
	}
	s.o.Log.InfoContext(ctx, "token revoked", "tenant", tenantID, "token", tokenID)
	if token := r.Find(tokenID); token != nil {
		s.drop(ctx, tenantID, *token)
	}
	return nil
}

// drop removes the value of a dead token from the vault. A value that stays after a failure does no harm.
func (s *Service) drop(ctx context.Context, tenantID string, t rotation.Token) {
	vault := s.vault(t)
	if vault == nil {
		return
	}
	if err := vault.Drop(ctx, tenantID, t.ID); err != nil {
		s.o.Log.WarnContext(ctx, "value of an ended token not removed", "tenant", tenantID, "token", t.ID, "error", err)
	}
}

// audit records that a token is about to be shown.
func (s *Service) audit(ctx context.Context, tenantID, tokenID string, now time.Time) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	_, err := s.update(ctx, tenantID, func(r *record.Record) error {
		r.Tell(now, event.TokenRevealed, tokenID, nil)
		return nil
	})
	if err == nil {
		s.o.Log.InfoContext(ctx, "token revealed", "tenant", tenantID, "token", tokenID,
			"requestId", event.CauseOf(ctx).RequestID)
	}
	return err
}

// Reveal returns the value of a live token. It logs this and writes an event first; if that fails, it returns no
// value. It returns a *ConflictError for a dead token, or one whose value is not kept.
func (s *Service) Reveal(ctx context.Context, tenantID, tokenID string) (IssuedToken, error) {
	r, err := s.read(ctx, tenantID)
	if err != nil {
		return IssuedToken{}, err
	}
	now := s.o.Now()
	stored := r.Find(tokenID)
	if r.Life != record.Active || stored == nil || !stored.Remembered(now) {
		return IssuedToken{}, ErrNotFound
	}
	if !stored.Live(now) {
		return IssuedToken{}, &ConflictError{Detail: "The token is " + string(stored.State(now)) +
			". Create a new one instead."}
	}
	vault := s.vault(*stored)
	if vault == nil {
		return IssuedToken{}, &ConflictError{
			Detail: "The value of the token is not stored. It was shown once, when the token was created.",
		}
	}
	value, err := vault.Reveal(ctx, tenantID, tokenID)
	if err == nil && r.Match(record.DigestOf(value)) != stored {
		err = ErrNoValue // the value in the vault would not authenticate as this token
	}
	if errors.Is(err, ErrNoValue) {
		s.o.Log.ErrorContext(ctx, "value of a live token is missing", "tenant", tenantID, "token", tokenID)
		return IssuedToken{}, &ConflictError{
			Detail: "The value of the token is no longer stored. Create a new token, then revoke this one.",
		}
	}
	if err != nil {
		return IssuedToken{}, err
	}
	if err := s.audit(ctx, tenantID, tokenID, now); err != nil {
		return IssuedToken{}, err
	}
	for _, token := range r.Listed(now) {
		if token.ID == tokenID {
			return IssuedToken{Token: token, Value: value}, nil
		}
	}
	return IssuedToken{}, ErrNotFound
}
