package tenant

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// NewToken is the input of Issue.
type NewToken struct {
	// ID is 16 characters of a-z and 0-9 that no token of the tenant has; if it is empty, the token gets a random one.
	ID string
	// Scopes are the scopes of the token; nil is both. An empty list that is not nil is refused.
	Scopes []Scope
	// ExpiresAt is truncated to whole seconds. It must be in the future, at most Options.MaxLifetime away. Zero means
	// the lifetime of the tenant's settings.
	ExpiresAt time.Time
	// Endless asks for a token that never expires, which Options.Endless must allow.
	Endless bool
}

// IssuedToken is a token with its value. Only Create, Issue and Reveal return it.
type IssuedToken struct {
	Token
	Value string
}

// Issue creates another token for a tenant. It returns a *ConflictError if two are live already, or one is live and
// another is being created. Like Create it goes on for at most 20 seconds after ctx is cancelled.
//
// Steps: (1) reserve the place on the tenant; (2) label the live token in the vault as the current one, and keep the
// new value; (3) commit the digest. A process that dies after 1 or 2 leaves a place that is free again once the
// reservation has lapsed. It may also leave a value in the vault that authenticates nobody; the next Keep replaces it.
// One that dies after 3 leaves a token that Tokens lists and Reveal shows.
func (s *Service) Issue(ctx context.Context, tenantID string, n NewToken) (IssuedToken, error) {
	now := s.o.Now()
	if err := s.checkToken(n, now); err != nil {
		return IssuedToken{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	return s.issue(ctx, tenantID, now, func(r *record.Record) (*candidate, error) {
		if n.ID != "" && r.Find(n.ID) != nil {
			return nil, record.Taken("token")
		}
		if err := s.room(r, now); err != nil {
			return nil, err
		}
		token, value := s.mint(now, s.policy(r.Settings.Token), n)
		return &candidate{Token: token, value: value, tell: rotation.OnlyReady(now, 0)}, nil
	})
}

// candidate is a token that is being created.
type candidate struct {
	rotation.Token
	value string
	// successor says that it replaces the tokens that end earlier.
	successor bool
	// tell is the situation by which the notices about the token are decided when it is created.
	tell rotation.Situation
}

// successor creates a candidate that replaces other tokens, with their scopes and a full lifetime from now. People get
// a notice of it however far away the ends of the others are.
func (s *Service) successor(p record.Policy, now time.Time, scopes []Scope) *candidate {
	token, value := s.mint(now, p, NewToken{Scopes: scopes})
	return &candidate{Token: token, value: value, successor: true, tell: rotation.OnlyReady(now, math.MaxInt64)}
}

// issue creates the token that pick returns, in the steps of Issue. pick gets the tenant as it is, and may be called
// again.
func (s *Service) issue(
	ctx context.Context, tenantID string, now time.Time, pick func(*record.Record) (*candidate, error),
) (IssuedToken, error) {
	r, c, err := s.make(ctx, tenantID, nil, now, pick)
	if err != nil || c == nil {
		return IssuedToken{}, err
	}
	tokens := r.Listed(now)
	i := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == c.ID })
	return IssuedToken{Token: tokens[i], Value: c.value}, nil
}

// make is issue for a tenant that was read or written a moment ago; nil makes it read. It returns the tenant as it is
// stored then, nil if that is not known, and the token, nil if pick returned errUnchanged.
func (s *Service) make(
	ctx context.Context, tenantID string, r *record.Record, now time.Time,
	pick func(*record.Record) (*candidate, error),
) (_ *record.Record, c *candidate, err error) {
	r, err = s.updateFrom(ctx, tenantID, r, func(r *record.Record) (err error) {
		if c, err = pick(r); err == nil {
			r.Pending = s.reservation(c.ID)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if c == nil {
		return r, nil, nil
	}
	current, err := s.keep(ctx, tenantID, r, c)
	if err != nil {
		return s.releaseToken(ctx, tenantID, r, c.ID), nil, err
	}
	r, err = s.updateFrom(ctx, tenantID, r, func(r *record.Record) error {
		if r.Find(c.ID) != nil {
			return errUnchanged
		}
		if r.Pending == nil || r.Pending.ID != c.ID {
			return &ConflictError{
				Detail: "Creating the token took too long, and another request replaced it. Try again.",
			}
		}
		s.add(r, c, current, now)
		return nil
	})
	if err != nil {
		if lost := (*ConflictError)(nil); errors.As(err, &lost) || errors.Is(err, ErrNotFound) {
			s.drop(ctx, tenantID, c.Token)
		}
		return nil, nil, err
	}
	s.o.Log.InfoContext(ctx, "token created", "tenant", tenantID, "token", c.ID, "successor", c.successor)
	return r, c, nil
}

// add puts a finished token on the tenant, with its events and notices.
func (s *Service) add(r *record.Record, c *candidate, current string, now time.Time) {
	data, kind := record.TokenData(c.Token), event.TokenCreated
	if c.successor {
		kind = event.SuccessorCreated
		ending := []any{}
		for i := range r.Tokens {
			if r.Tokens[i].Live(now) || i == r.Predecessor(now) {
				ending = append(ending, r.Tokens[i].ID)
			}
		}
		data["predecessorIds"] = ending
	}
	r.Tell(now, kind, c.ID, data)
	if s.toCollect(r, now) {
		for i := range r.Tokens { // the person asked to collect it knows of it
			if t := &r.Tokens[i]; t.Live(now) && t.Told&rotation.ReadyBit != 0 && t.Ready == "" {
				t.Ready = c.ID
			}
		}
	}
	r.Tokens, r.Pending, r.Collect = append(r.Tokens, c.Token), nil, false
	if current != "" {
		r.Current = current
	}
	s.tellAll(r, c.tell)
}

// room returns an error if a person may not create one more token now: a *ConflictError, or errWait.
func (s *Service) room(r *record.Record, now time.Time) error {
	live := len(r.Live(now))
	held := s.holds(r.Pending)
	switch {
	case live >= maxLive && !held && s.policy(r.Settings.Token).Vault == VaultNone && r.NeedsSuccessor(now, 0):
		return nil // both expire soon: a person may create the successor
	case live >= maxLive:
		return &ConflictError{Detail: "Two tokens are live already. Revoke one of them first."}
	case held && live+1 >= maxLive:
		return &ConflictError{Detail: "A second token is being created already. Two may be live at a time."}
	case held:
		return errWait
	}
	return nil
}

// keep puts a new value into its vault at the stage that it has in r. It returns the token that is then the current
// one there; empty if that did not change.
func (s *Service) keep(
	ctx context.Context, tenantID string, r *record.Record, c *candidate,
) (current string, err error) {
	vault := s.vault(c.Token)
	if vault == nil {
		return "", nil
	}
	stage := Current
	for _, i := range r.Live(s.o.Now()) {
		if t := r.Tokens[i]; t.KeptIn() == c.KeptIn() {
			stage, current = Successor, t.ID
		}
	}
	if c.KeptIn() != VaultSecret {
		return "", vault.Keep(ctx, tenantID, c.ID, c.value, stage)
	}
	if stage == Current {
		return c.ID, vault.Keep(ctx, tenantID, c.ID, c.value, stage)
	}
	// The newest live token may have been a successor itself. It must not lose its place in the vault to the new one.
	if err := vault.Promote(ctx, tenantID, current); err != nil && !errors.Is(err, ErrNoValue) {
		return "", err
	}
	return current, vault.Keep(ctx, tenantID, c.ID, c.value, stage)
}

// vault returns the vault that keeps the value of a token; nil if none does.
func (s *Service) vault(t rotation.Token) Secrets {
	switch t.KeptIn() {
	case VaultNone:
		return nil
	case VaultPacked:
		return s.o.Packed // nil in a deployment that no longer has one
	}
	return s.secrets
}

// releaseToken releases a reserved place, and returns the tenant as it is stored then. If it fails, it returns nil,
// and the reservation lapses.
func (s *Service) releaseToken(ctx context.Context, tenantID string, r *record.Record, tokenID string) *record.Record {
	r, err := s.updateFrom(ctx, tenantID, r, func(r *record.Record) error {
		if r.Pending == nil || r.Pending.ID != tokenID {
			return errUnchanged
		}
		r.Pending = nil
		return nil
	})
	if err != nil {
		s.o.Log.WarnContext(ctx, "reservation of a token not released", "tenant", tenantID,
			"token", tokenID, "error", err)
		return nil
	}
	return r
}

// mint makes the stored form and the value of a token. Nil scopes mean both, a zero expiry the lifetime of the policy.
func (s *Service) mint(now time.Time, p record.Policy, n NewToken) (rotation.Token, string) {
	id, value := record.Mint(n.ID)
	sum := record.DigestOf(value)
	t := rotation.Token{ID: id, Digest: sum[:], Scopes: n.Scopes, Created: now.Unix(), Expires: n.ExpiresAt.Unix()}
	if t.Scopes == nil {
		t.Scopes = []Scope{ScopeRead, ScopeWrite}
	}
	switch {
	case n.Endless:
		t.Expires = 0
	case n.ExpiresAt.IsZero():
		t.Expires = now.Add(p.Lifetime).Unix()
	}
	if p.Vault != VaultSecret {
		t.Vault = p.Vault
	}
	if p.NoticeDays != rotation.DefaultNoticeDays {
		t.Notice = p.NoticeDays
	}
	if !slices.Equal(p.Reminders, rotation.DefaultReminders) {
		t.Reminders = slices.Clone(p.Reminders)
		if t.Reminders == nil {
			t.Reminders = []int{}
		}
	}
	return t, value
}

func (s *Service) checkToken(n NewToken, now time.Time) error {
	if n.ID != "" && !record.ValidTokenID(n.ID) {
		return record.Invalid("id", "must be 16 characters of a-z and 0-9")
	}
	if err := record.CheckScopes(n.Scopes); err != nil {
		return err
	}
	if n.Endless || !n.ExpiresAt.IsZero() {
		return s.checkEnd(n.ExpiresAt, n.Endless, now)
	}
	return nil
}

// checkEnd checks the requested end of a token against the operator's bounds.
func (s *Service) checkEnd(at time.Time, endless bool, now time.Time) error {
	latest := now.Add(s.o.MaxLifetime)
	switch {
	case endless && !s.o.Endless:
		return record.Invalid("expiresAt", "must be given: this deployment does not allow tokens that never expire")
	case endless:
		return nil
	case at.Unix() <= now.Unix():
		return record.Invalid("expiresAt", "must be in the future")
	case at.After(latest):
		return record.Invalid("expiresAt", fmt.Sprintf("must not be after %s", latest.UTC().Format(time.RFC3339)))
	}
	return nil
}
