// Package deliver joins the function deliver: it takes the logs of tenants to Amazon EventBridge and to webhooks. It is
// apart from work, so that stream links neither.
package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv/queue"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv/vault"
	"github.com/serverless-scim/serverless-scim/pkg/app/follow"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/event/awsevent"
	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/ending"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// budget is the time in which one run may start to send. A send takes a minute at most: the function has 150 seconds.
const budget = 60 * time.Second

// Deliver is the function that takes events to those who follow tenants.
type Deliver struct {
	worker *delivery.Worker
	queue  *queue.Queue
	log    *slog.Logger
}

// New returns the function.
func New() (*Deliver, error) {
	env, err := app.ReadEnv()
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		app.EnvEventBus: env.EventBus, app.EnvQueue: env.Queue, app.EnvWebhookKey: env.WebhookKey,
	} {
		if value == "" {
			return nil, fmt.Errorf("%s is not set", name)
		}
	}
	st := awsenv.Store(env.Table)
	bus := eventbridge.NewFromConfig(
		awsenv.Config(), func(o *eventbridge.Options) { o.BaseEndpoint = awsenv.Endpoint("EVENTBRIDGE") })
	// It reads tenants, and writes events about them. It reads no token: the vault is never asked.
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{
		Now: time.Now, Log: env.Log, Everybody: marker.Everybody(time.Now),
	})
	dir := directory.New(st, directory.Options{Now: time.Now, Log: env.Log})
	worker := follow.Worker(follow.Parts{
		Store: st, Tenants: tenants,
		Members:  member.New(st, member.Options{Now: time.Now, Log: env.Log, Directory: dir}),
		Webhooks: webhook.New(st, webhook.Options{Now: time.Now, Log: env.Log, Key: vault.WebhookKey(env)}),
		Ending:   ending.New(st, tenants, ending.Options{Now: time.Now, Empty: dir.Erase}),
		Always:   []delivery.Destination{awsevent.New(bus, awsevent.Options{Name: env.EventBus})},
		Now:      time.Now, Log: env.Log,
	}, budget)
	return &Deliver{worker: worker, queue: queue.New(env.Queue), log: env.Log}, nil
}

// Handle delivers for the tenants that a batch of messages names, all at the same time. Those whose delivery the table
// refused come again; a destination that fails is no such case. The schedule's event puts the tenants into the queue of
// which an attempt is due. Both may come twice.
func (d *Deliver) Handle(ctx context.Context, raw json.RawMessage) (events.SQSEventResponse, error) {
	var (
		out events.SQSEventResponse
		ev  events.SQSEvent
	)
	if err := json.Unmarshal(raw, &ev); err != nil {
		return out, fmt.Errorf("deliver: event: %w", err)
	}
	if len(ev.Records) == 0 {
		return out, d.worker.Due(ctx, d.queue.Send)
	}
	out.BatchItemFailures = []events.SQSBatchItemFailure{} // a list, not null: not everybody takes that for success
	var mu sync.Mutex
	byTenant := map[string][]string{}
	for _, m := range ev.Records {
		byTenant[m.Body] = append(byTenant[m.Body], m.MessageId)
	}
	var g task.Group
	for id, messages := range byTenant {
		g.Go(func() error {
			if err := task.Do(func() error { return d.deliver(ctx, id) }); err != nil {
				d.log.WarnContext(ctx, "delivery will be tried again", "tenant", id, "error", err)
				mu.Lock()
				defer mu.Unlock()
				for _, m := range messages {
					out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m})
				}
			}
			return nil
		})
	}
	_ = g.Wait() // failures are in out
	return out, nil
}

// deliver delivers for one tenant. If time runs out, a message of its own asks for the rest.
func (d *Deliver) deliver(ctx context.Context, id string) error {
	if !tenant.ValidID(id) {
		return nil // no message of ours
	}
	// Leased needs nothing here: if the worker that has the lease dies, its own message comes again after the queue's
	// visibility timeout, which is longer than the lease.
	left, err := d.worker.Work(ctx, id)
	if err == nil && left.More {
		err = d.queue.Send(ctx, id)
	}
	return err
}
