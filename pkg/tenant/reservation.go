package tenant

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// reservation creates a reservation of this process on a tenant: the right to do work of several writes.
func (s *Service) reservation(id string) *record.Reservation {
	return &record.Reservation{ID: id, At: s.o.Now().Unix(), By: s.process()}
}

// holds reports whether a reservation still excludes other processes. The holder of one that lapsed gave up long
// before.
func (s *Service) holds(r *record.Reservation) bool {
	if r == nil || s.o.Alone && r.By != s.process() {
		return false
	}
	return s.o.Now().Sub(time.Unix(r.At, 0)) < lease
}

// detach returns a context for work of several steps. It outlives the client and ends before a reservation.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}
