// Package follow connects the logs of tenants to their destinations, for the function deliver and the local server.
package follow

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/ending"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// Parts are the dependencies of deliveries. All are required but Always and Alone.
type Parts struct {
	Store    *store.Store
	Tenants  *tenant.Service
	Members  *member.Service
	Webhooks *webhook.Service
	Ending   *ending.Service
	// Always are destinations of every tenant, beside webhooks.
	Always []delivery.Destination
	// Alone says that no other process writes to the table.
	Alone bool
	Now   func() time.Time
	Log   *slog.Logger
}

// Worker returns the worker that delivers the events of tenants to their destinations.
func Worker(p Parts, budget time.Duration) *delivery.Worker {
	return delivery.New(p.Store, delivery.Options{
		Now: p.Now, Logger: p.Log, Alone: p.Alone, Budget: budget, Log: p.log, Paused: p.paused,
		Gone: p.Webhooks.SwitchOff,
		Destinations: func(ctx context.Context, tenantID string) ([]delivery.Destination, error) {
			hooks, err := p.Webhooks.Destinations(ctx, tenantID)
			return append(hooks, p.Always...), err
		},
	})
}

// log is the log of a tenant. Its events are read as the admin API answers them. One that is being deleted has a log
// until its last event is delivered.
func (p Parts) log(ctx context.Context, tenantID string) (log delivery.Log, err error) {
	t, err := member.TenantOf(ctx, p.Tenants, tenantID)
	if errors.Is(err, tenant.ErrNotFound) {
		last, err := p.Ending.Last(ctx, tenantID)
		if err != nil || !last {
			return log, err
		}
		t.ID = tenantID
		log.Heard = func(ctx context.Context) error { return p.Ending.Heard(ctx, tenantID) }
	} else if err != nil {
		return log, err
	}
	var ended atomic.Bool
	log.Read = func(ctx context.Context, place eventlog.Place, count int) (eventlog.Page, error) {
		page, err := p.Members.Events(ctx, t, place, count)
		if n := len(page.Events); n > 0 && page.Events[n-1].Object["type"] == string(event.TenantDeleted) {
			ended.Store(true)
		}
		return page, err
	}
	if log.Heard == nil {
		log.Ended = ended.Load
	}
	return log, nil
}

// paused writes that a webhook is paused, with an event. The people of the tenant get a notice if the webhook is the
// tenant's own: they can't help with the operator's.
func (p Parts) paused(ctx context.Context, tenantID, destination string, s delivery.State, put store.Op) error {
	status := 0
	if n := len(s.Recent); n > 0 {
		status = s.Recent[n-1].Status
	}
	r := tenant.Report{Op: put, Events: []event.Event{{Kind: event.WebhookPaused, Data: scim.Object{
		"webhookId": destination, "failingSince": scim.FormatTime(time.UnixMilli(s.FailingSince)),
		"position": s.Position, "status": int64(status),
	}}}}
	switch _, err := p.Webhooks.Get(ctx, tenantID, destination); {
	case err == nil:
		r.Notices, r.Period = []notice.Notice{{Kind: notice.WebhookPaused}}, s.Paused/1000
	case !errors.Is(err, webhook.ErrNotFound):
		return err
	}
	p.Log.ErrorContext(ctx, "webhook paused", "tenant", tenantID, "webhook", destination, "status", status)
	return p.Tenants.Report(ctx, tenantID, r)
}
