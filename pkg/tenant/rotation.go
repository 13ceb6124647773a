package tenant

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// errCollect says that a person has to collect the successor, which is made only then.
var errCollect = errors.New("tenant: to be collected")

// StartRotation creates the successor of a tenant's token now, ahead of its time, with the notices of it. With
// VaultNone the notices ask the tenant's people to collect it instead. It returns a *ConflictError if there is a
// successor already, or one waits to be collected.
func (s *Service) StartRotation(ctx context.Context, tenantID string) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	now := s.o.Now()
	_, err := s.issue(ctx, tenantID, now, func(r *record.Record) (*candidate, error) {
		if err := s.mayStart(r, now); err != nil {
			return nil, err
		}
		p := s.policy(r.Settings.Token)
		if p.Vault == VaultNone {
			return nil, errCollect
		}
		return s.successor(p, now, r.SuccessorScopes(now)), nil
	})
	if !errors.Is(err, errCollect) {
		return err
	}
	_, err = s.update(ctx, tenantID, func(r *record.Record) error {
		if err := s.mayStart(r, now); err != nil { // of the tenant as it is now: a token may have been made since
			return err
		}
		asked := s.toCollect(r, now)
		r.Collect = true
		if !s.tellAll(r, rotation.OnlyReady(now, math.MaxInt64)) && asked {
			return &ConflictError{Detail: "A successor is ready. Create a token to collect it, or cancel the rotation."}
		}
		return nil
	})
	return err
}

// mayStart returns a *ConflictError if a successor is there already, or a token is being created.
func (s *Service) mayStart(r *record.Record, now time.Time) error {
	switch {
	case len(r.Live(now)) >= maxLive && !r.NeedsSuccessor(now, 0):
		return &ConflictError{Detail: "The token has a successor already. Complete or cancel the rotation first."}
	case s.holds(r.Pending):
		return &ConflictError{Detail: "A token is being created already."}
	}
	return nil
}

// CompleteRotation ends the rotation of a tenant now: every live token but the newest is revoked. It returns a
// *ConflictError if there is no successor. Without force it also does so if the successor was never used, or lacks a
// scope of the tokens that would be revoked: the identity provider might be cut off.
func (s *Service) CompleteRotation(ctx context.Context, tenantID string, force bool) error {
	return s.endRotation(ctx, tenantID, "rotation-completed", func(r *record.Record, live []int) ([]int, error) {
		newest, older := live[len(live)-1], live[:len(live)-1]
		if force {
			return older, nil
		}
		if r.Tokens[newest].First == 0 {
			return nil, &ConflictError{Detail: "The successor was never used. Enter it in the identity provider " +
				"first, or complete the rotation with force."}
		}
		if slices.ContainsFunc(older, func(i int) bool { return !r.Serves(newest, i) }) {
			has := record.JoinScopes(r.Tokens[newest].Scopes)
			return nil, &ConflictError{Detail: "The successor has fewer scopes than a token that would be revoked: " +
				"it has " + has + " only. Create a token with all scopes, or complete the rotation with force."}
		}
		return older, nil
	})
}

// CancelRotation revokes the successor. It returns a *ConflictError if there is none, or if it was used. In the period
// of notice the next run of Rotate makes another one: no token ends without a successor.
func (s *Service) CancelRotation(ctx context.Context, tenantID string) error {
	return s.endRotation(ctx, tenantID, "rotation-cancelled", func(r *record.Record, live []int) ([]int, error) {
		newest := live[len(live)-1]
		if r.Tokens[newest].First != 0 {
			return nil, &ConflictError{
				Detail: "The successor has been in use since " + record.Moment(r.Tokens[newest].First).(string) +
					". Complete the rotation instead.",
			}
		}
		return []int{newest}, nil
	})
}

// endRotation revokes those of a tenant's live tokens that pick returns. pick gets their indexes, oldest first.
func (s *Service) endRotation(ctx context.Context, tenantID, reason string,
	pick func(*record.Record, []int) ([]int, error),
) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	now := s.o.Now()
	var revoked []string
	r, err := s.update(ctx, tenantID, func(r *record.Record) error {
		revoked = nil
		live := r.Live(now)
		if len(live) < maxLive {
			if r.Collect && reason == "rotation-cancelled" {
				r.Collect = false
				for i := range r.Tokens {
					t := &r.Tokens[i]
					if t.Live(now) && t.Told&rotation.ReadyBit != 0 && t.Ready == "" && !s.toCollect(r, now) {
						t.ForgetReady()
					}
				}
				return nil
			}
			return &ConflictError{Detail: "There is no successor. Start a rotation first."}
		}
		picked, err := pick(r, live)
		for _, i := range picked {
			revoked = append(revoked, r.Tokens[i].ID)
			r.Revoke(now, &r.Tokens[i], reason)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range revoked {
		s.o.Log.InfoContext(ctx, "token revoked", "tenant", tenantID, "token", id, "reason", reason)
		if token := r.Find(id); token != nil {
			s.drop(ctx, tenantID, *token)
		}
	}
	return nil
}

// Collect creates the successor that waits to be collected with VaultNone, and returns it: its value is not stored. It
// returns a *ConflictError if none waits.
func (s *Service) Collect(ctx context.Context, tenantID string) (IssuedToken, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	now := s.o.Now()
	return s.issue(ctx, tenantID, now, func(r *record.Record) (*candidate, error) {
		switch {
		case !s.toCollect(r, now):
			return nil, &ConflictError{Detail: "There is no token to collect."}
		case s.holds(r.Pending):
			return nil, errWait
		}
		if err := s.room(r, now); err != nil {
			return nil, err
		}
		return s.successor(s.policy(r.Settings.Token), now, r.SuccessorScopes(now)), nil
	})
}

// Extend changes the expiry of a live token, truncated to whole seconds, within the bounds of a new token; endless
// removes its end. If the token leaves its period of notice by that, the next period has all notices again. ErrNotFound
// for a token that is not listed, a *ConflictError for one that is not live.
func (s *Service) Extend(ctx context.Context, tenantID, tokenID string, at time.Time, endless bool) (Token, error) {
	now := s.o.Now()
	if err := s.checkEnd(at, endless, now); err != nil {
		return Token{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	r, err := s.update(ctx, tenantID, func(r *record.Record) error {
		t := r.Find(tokenID)
		switch {
		case t == nil || !t.Remembered(now):
			return ErrNotFound
		case !t.Live(now):
			return &ConflictError{Detail: "The token is " + string(t.State(now)) + ". Create a new one instead."}
		}
		end := int64(0)
		if !endless {
			end = at.Unix()
		}
		if end == t.Expires {
			return errUnchanged
		}
		r.Tell(now, event.TokenChanged, tokenID,
			scim.Object{"expiresAt": record.Moment(end), "previousExpiresAt": record.Moment(t.Expires)})
		t.Extend(now, end)
		return nil
	})
	if err != nil {
		return Token{}, err
	}
	s.o.Log.InfoContext(ctx, "token changed", "tenant", tenantID, "token", tokenID)
	for _, token := range r.Listed(now) {
		if token.ID == tokenID {
			return token, nil
		}
	}
	return Token{}, ErrNotFound
}
