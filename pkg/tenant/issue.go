package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// NewToken is what Issue makes a token of.
type NewToken struct {
	// Scopes that the token shall have; nil is both. An empty list that is not nil is refused.
	Scopes []Scope
	// ExpiresAt, cut to whole seconds, must be ahead and at most Options.MaxLifetime away; zero is Options.Lifetime from now.
	ExpiresAt time.Time
}

// IssuedToken is a token with its value, which nothing but Create, Issue and Reveal ever returns.
type IssuedToken struct {
	Token
	Value string
}

// Issue makes another token for a tenant. A *ConflictError where two are live already, or one is live and another is being made.
// Like Create it goes on, for at most 20 seconds, when ctx is cancelled.
//
// Steps: (1) reserve the place on the tenant; (2) label the live token in the vault as the current one, and keep the new value;
// (3) commit the digest. A process that dies after 1 or 2 leaves a place that is free again once the reservation has
// lapsed, and at most a value in the vault that is good for nothing and that the next Keep replaces. One that dies after 3
// leaves a token that Tokens lists and Reveal shows.
func (s *Service) Issue(ctx context.Context, tenantID string, n NewToken) (IssuedToken, error) {
	now := s.o.Now()
	if err := s.checkToken(n, now); err != nil {
		return IssuedToken{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	token, value := s.mint(now, n.Scopes, n.ExpiresAt)
	r, err := s.update(ctx, tenantID, func(r *record) error { return s.reserveToken(r, token.ID) })
	if err != nil {
		return IssuedToken{}, err
	}
	if err = s.keep(ctx, tenantID, r, token.ID, value); err != nil {
		s.releaseToken(ctx, tenantID, token.ID)
		return IssuedToken{}, err
	}
	r, err = s.update(ctx, tenantID, func(r *record) error {
		if r.find(token.ID) != nil {
			return errUnchanged
		}
		if r.Pending == nil || r.Pending.ID != token.ID {
			return &ConflictError{Detail: "Making the token took too long and another one took its place."}
		}
		r.Tokens, r.Pending = append(r.Tokens, token), nil
		return nil
	})
	if err != nil {
		if lost := (*ConflictError)(nil); errors.As(err, &lost) || errors.Is(err, ErrNotFound) {
			s.drop(ctx, tenantID, token.ID)
		}
		return IssuedToken{}, err
	}
	s.o.Log.InfoContext(ctx, "token created", "tenant", tenantID, "token", token.ID)
	tokens := r.tokens(now)
	i := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == token.ID })
	return IssuedToken{Token: tokens[i], Value: value}, nil
}

// reserveToken claims the place of one more token.
func (s *Service) reserveToken(r *record, tokenID string) error {
	live := len(r.live(s.o.Now()))
	held := s.holds(r.Pending)
	switch {
	case live >= maxLive:
		return &ConflictError{Detail: "Two tokens are live already. Revoke one of them first."}
	case held && live+1 >= maxLive:
		return &ConflictError{Detail: "A second token is being made already. Two may be live at a time."}
	case held:
		return errWait
	}
	r.Pending = s.reservation(tokenID)
	return nil
}

// keep puts a new value into the vault at the stage that it has in r.
func (s *Service) keep(ctx context.Context, tenantID string, r *record, tokenID, value string) error {
	stage := Current
	if live := r.live(s.o.Now()); len(live) > 0 {
		stage = Successor
		// The live token may have been a successor itself. It must not lose its place in the vault to the new one.
		if err := s.secrets.Promote(ctx, tenantID, r.Tokens[live[0]].ID); err != nil && !errors.Is(err, ErrNoValue) {
			return err
		}
	}
	return s.secrets.Keep(ctx, tenantID, tokenID, value, stage)
}

// releaseToken gives a reserved place back. If it fails, the reservation lapses.
func (s *Service) releaseToken(ctx context.Context, tenantID, tokenID string) {
	_, err := s.update(ctx, tenantID, func(r *record) error {
		if r.Pending == nil || r.Pending.ID != tokenID {
			return errUnchanged
		}
		r.Pending = nil
		return nil
	})
	if err != nil {
		s.o.Log.WarnContext(ctx, "reservation of a token not released", "tenant", tenantID, "token", tokenID, "error", err)
	}
}

// mint makes the stored form and the value of a token. Nil scopes are both, a zero expiry the default lifetime.
func (s *Service) mint(now time.Time, scopes []Scope, expires time.Time) (tokenRecord, string) {
	id, value := mint()
	sum := digestOf(value)
	if scopes == nil {
		scopes = []Scope{ScopeRead, ScopeWrite}
	}
	if expires.IsZero() {
		expires = now.Add(s.o.Lifetime)
	}
	return tokenRecord{ID: id, Digest: sum[:], Scopes: scopes, Created: now.Unix(), Expires: expires.Unix()}, value
}

func (s *Service) checkToken(n NewToken, now time.Time) error {
	if n.Scopes != nil && len(n.Scopes) == 0 {
		return invalid("scopes", "must name read, write or both")
	}
	for i, scope := range n.Scopes {
		if scope != ScopeRead && scope != ScopeWrite || slices.Contains(n.Scopes[:i], scope) {
			return invalid("scopes", "must name read, write or both, each once")
		}
	}
	if n.ExpiresAt.IsZero() {
		return nil
	}
	if n.ExpiresAt.Unix() <= now.Unix() {
		return invalid("expiresAt", "must be in the future")
	}
	if latest := now.Add(s.o.MaxLifetime); n.ExpiresAt.After(latest) {
		return invalid("expiresAt", fmt.Sprintf("must not be after %s", latest.UTC().Format(time.RFC3339)))
	}
	return nil
}
