package tenant_test

import (
	"errors"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// announced checks that each successor was told of by one notice, which may have come twice, the live one among them.
func (d *told) announced(t *testing.T, live string) {
	t.Helper()
	by := map[string]string{} // notice by successor
	for _, n := range d.notices {
		if n.Kind != notice.SuccessorReady {
			continue
		}
		if other := by[n.Successor.ID]; n.Successor.ID == "" || other != "" && other != n.ID {
			t.Errorf("successor %q is told of by %s and %s", n.Successor.ID, other, n.ID)
		}
		by[n.Successor.ID] = n.ID
	}
	if by[live] == "" {
		t.Errorf("nobody was told of %s: %v", live, by)
	}
}

// settled has everything of an earlier process lapse and be done.
func (w *world) settled(t *testing.T, d *told) {
	t.Helper()
	for range 3 {
		w.clock.add(time.Hour)
		if _, err := w.Rotate(w.ctx, d.delivery()); err != nil {
			t.Fatal(err)
		}
	}
}

// People start, cancel and start again; the process dies anywhere, or mail is down meanwhile.
func TestCrashInAnnouncing(t *testing.T) {
	for _, mail := range []bool{true, false} {
		for _, days := range []int{100, 20} { // before the end of the token
			var d *told
			crash(t, func(t *testing.T, w *world) {
				d = &told{}
				token := w.createWith(t, "acme", mailAda)
				w.to(token.ExpiresAt.Add(-time.Duration(days) * day))
				w.rotate(t, d)
			}, func(w *world, s *tenant.Service) error {
				if !mail {
					d.err = errors.New("mail is down")
				}
				defer func() { d.err = nil }()
				for _, act := range []func() error{
					func() error { return ignoreConflict(s.CancelRotation(w.ctx, "acme")) },
					func() error { return ignoreConflict(s.StartRotation(w.ctx, "acme")) },
					func() error { return s.CancelRotation(w.ctx, "acme") },
					func() error { return s.StartRotation(w.ctx, "acme") },
				} {
					if err := act(); err != nil {
						return err
					}
					if err := s.Deliver(w.ctx, "acme", d.delivery()); err != nil && mail {
						return err
					}
				}
				return nil
			}, func(t *testing.T, w *world) {
				w.settled(t, d)
				if len(w.sound(t, "acme")) == 1 {
					if err := w.StartRotation(w.ctx, "acme"); err != nil {
						t.Fatal(err)
					}
					w.settled(t, d)
				}
				live := w.sound(t, "acme")
				if len(live) != 2 {
					t.Fatalf("%d live tokens", len(live))
				}
				d.announced(t, live[1].ID)
			})
		}
	}
}

func ignoreConflict(err error) error {
	if conflict := (*tenant.ConflictError)(nil); errors.As(err, &conflict) {
		return nil
	}
	return err
}
