package local

import (
	"context"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// rotateEvery is how often rotation runs, as the schedule of template.yaml has it.
const rotateEvery = time.Hour

// clock is the time of a local server: the real one until somebody moves it, and from then on as far ahead of it as they moved it. A new
// start begins with the real time again.
type clock struct {
	real func() time.Time

	mu    sync.Mutex
	ahead time.Duration
}

// Now is the time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.real().Add(c.ahead)
}

// set moves the clock, which never goes back.
func (c *clock) set(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	step := now.Sub(c.real().Add(c.ahead))
	if step < 0 {
		return &tenant.InvalidError{Field: "now", Problem: "must not be before the present time, " + scim.FormatTime(c.real().Add(c.ahead))}
	}
	c.ahead += step
	return nil
}

// setClock moves the time, and does whatever is due then before it returns.
func (s *Server) setClock(ctx context.Context, now time.Time) (time.Time, error) {
	if err := s.clock.set(now); err != nil {
		return time.Time{}, err
	}
	s.log.InfoContext(ctx, "clock moved", "now", now)
	return now, s.Rotate(ctx)
}

// Rotate runs rotation once, as the rotate function does every hour in AWS.
func (s *Server) Rotate(ctx context.Context) error {
	_, err := s.tenants.Rotate(ctx, s.background.cleaner.Delivery)
	return err
}

// rotateHourly runs rotation now and every hour.
func (s *Server) rotateHourly() {
	s.background.wg.Go(func() {
		tick := time.NewTicker(rotateEvery)
		defer tick.Stop()
		for {
			if err := s.Rotate(s.background.ctx); err != nil && s.background.ctx.Err() == nil {
				s.log.Warn("rotation will be tried again", "error", err)
			}
			select {
			case <-s.background.ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}
