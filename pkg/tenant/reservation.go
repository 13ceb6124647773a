package tenant

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// reservation makes a claim of this process on a place of a tenant.
func (s *Service) reservation(id string) *record.Reservation {
	return &record.Reservation{ID: id, At: s.o.Now().Unix(), By: s.process()}
}

// holds reports whether a claim still keeps others off. One that lapsed was abandoned: who made it gave up long before.
func (s *Service) holds(r *record.Reservation) bool {
	if r == nil || s.o.Alone && r.By != s.process() {
		return false
	}
	return s.o.Now().Sub(time.Unix(r.At, 0)) < lease
}

// detach returns a context for work of several steps: it goes on when the client hangs up, but ends long before a claim
// lapses.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}
