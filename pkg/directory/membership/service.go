package membership

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Service changes and reads the memberships of all tenants.
type Service struct {
	Now   func() time.Time
	NewID func() string
	Log   *slog.Logger
	// Background is called with a tenant that has open work which a request left for later. It must not block.
	Background func(tenantID string)
	Carry      Carry // nil: nothing
	// Carried is called with a tenant after a transaction that carried something, whether it succeeded or not. It must
	// not block.
	Carried func(tenantID string)
	// MaxWait bounds how long a writer competes for a resource before it answers 503.
	MaxWait time.Duration
}

// Retry runs attempt until it returns anything but store.ErrStale, for MaxWait at most; then it is a *scim.Error 503.
func (s *Service) Retry(ctx context.Context, attempt func() error) error {
	err := store.Retry(ctx, s.MaxWait, attempt)
	if errors.Is(err, store.ErrStale) {
		return &scim.Error{
			Status: 503, RetryAfter: time.Second,
			Detail: "Many requests change this resource at the same time. Please try again in a moment.",
		}
	}
	return err
}

// Later returns the time of a change to something last changed at t: now, but never before t, since clocks differ.
func (s *Service) Later(t time.Time) time.Time {
	now := s.Now()
	if now.Before(t) {
		return t
	}
	return now
}
