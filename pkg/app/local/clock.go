package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// rotateEvery is how often rotation runs, as the schedule of template.yaml has it.
const rotateEvery = time.Hour

// latest is the last time of the clock. Times derived from it still have four digits of a year, and thirteen digits
// of milliseconds.
var latest = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// clock is the time of a local server: the machine's until somebody moves it, and from then on as far ahead of it as
// they moved it.
type clock struct {
	real func() time.Time
	path string // of the file that keeps a moved clock; "" keeps nothing

	mu    sync.Mutex
	ahead time.Duration
}

// keptClock is the content of the file: the time that the clock was set to, and the machine's time at that moment.
type keptClock struct {
	Now     time.Time `json:"now"`
	Machine time.Time `json:"machine"`
}

// Now is the time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.real().Add(c.ahead)
}

// both returns the time, and the machine's.
func (c *clock) both() (now, machine time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	machine = c.real()
	return machine.Add(c.ahead), machine
}

// set moves the clock, which never goes back. It is kept before it holds.
func (c *clock) set(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !now.Before(latest) {
		return &tenant.InvalidError{Field: "now", Problem: "must be before " + scim.FormatTime(latest)}
	}
	machine := c.real()
	if present := machine.Add(c.ahead); now.Before(present) {
		return &tenant.InvalidError{
			Field: "now", Problem: "must not be before the current time, " + scim.FormatTime(present),
		}
	}
	err := c.keep(now, machine)
	if boltstore.IsFull(err) {
		err = fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	if err != nil {
		return fmt.Errorf("local: the clock was not moved, because the new time could not be saved: %w", err)
	}
	c.ahead = now.Sub(machine)
	return nil
}

func (c *clock) keep(now, machine time.Time) error {
	if c.path == "" {
		return nil
	}
	data, err := json.Marshal(keptClock{now, machine})
	if err != nil {
		return err
	}
	return replaceFile(c.path, data)
}

// keepIn takes up the time that an earlier process was moved to, which has run on since, and keeps it in a file from
// now on. If the machine's clock went back in the meantime, that time stands still at least.
func (c *clock) keepIn(path string) error {
	c.path = path
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var kept keptClock
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err == nil && !(kept.sound(kept.Now) && kept.sound(kept.Machine)) {
		err = errors.New("its times are out of range")
	}
	if err != nil {
		return fmt.Errorf("%s, the offset of the clock, can't be read (delete it to use the machine's time): %w",
			path, err)
	}
	machine := c.real()
	if kept.Machine.After(machine) {
		kept.Machine = machine
	}
	c.ahead = kept.Now.Sub(kept.Machine)
	return nil
}

func (keptClock) sound(t time.Time) bool { return t.After(time.Unix(0, 0)) && t.Before(latest) }

// setClock moves the time, and does all work that is due then before it returns.
func (s *Server) setClock(ctx context.Context, now time.Time) (time.Time, error) {
	if err := s.clock.set(now); err != nil {
		return time.Time{}, err
	}
	s.log.InfoContext(ctx, "clock moved", "now", now)
	err := s.Rotate(ctx)
	s.deliveries.due()
	return now, err
}

// tellClock prints the time if it is not the machine's: expiries that nobody understands come from a clock that
// somebody moved.
func (s *Server) tellClock() {
	now, machine := s.clock.both()
	if ahead := now.Sub(machine); ahead != 0 {
		s.o.tell(map[string]any{"now": now.UTC().Format(time.RFC3339), "machine": machine.UTC().Format(time.RFC3339)},
			"The clock was moved: it shows %s, %s ahead of this machine. (The offset is saved in %s.)\n",
			now.UTC().Format(time.RFC3339), days(ahead), s.clock.path)
	}
}

// days shows a duration for people: days, and below two of them hours, minutes and seconds.
func days(d time.Duration) string {
	if day := 24 * time.Hour; d >= 2*day {
		return fmt.Sprintf("%d days", d.Round(day)/day)
	}
	return d.Round(time.Second).String()
}

// Rotate runs rotation once, as the rotate function does every hour in AWS.
func (s *Server) Rotate(ctx context.Context) error {
	until := func() bool { return ctx.Err() != nil }
	// First, so that its notices are delivered. Tokens are rotated even if the machine has no DNS.
	if err := s.domains.Daily(ctx, until); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "domains were not checked", "error", err)
	}
	_, err := s.tenants.Rotate(ctx, s.background.cleaner.Delivery)
	return errors.Join(err, s.background.cleaner.Members.Sweep(ctx, s.tenants.ClearAbandoned, until))
}

// rotateHourly runs rotation now and every hour.
func (s *Server) rotateHourly() {
	s.background.tasks.Go(func() error {
		tick := time.NewTicker(rotateEvery)
		defer tick.Stop()
		for {
			err := task.Do(func() error { return s.Rotate(s.background.ctx) })
			if err != nil && s.background.ctx.Err() == nil {
				s.log.Warn("rotation will be tried again", "error", err)
			}
			select {
			case <-s.background.ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	})
}
