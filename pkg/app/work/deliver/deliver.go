// Package deliver is the function deliver, which sends the events of tenants to Amazon EventBridge and to webhooks. It
// is separate from package work, so that stream links neither.
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

// Deliver is the function that sends the events of tenants to their destinations.
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
	// It reads tenants, and writes events about them. It reads no token, so it has no vault.
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

// Handle delivers the events of the tenants that a batch of messages names, of all at the same time. If the table
// refuses a delivery, the message comes again; if a destination fails, it does not. For an event of the schedule,
// Handle puts the tenants that have a due attempt into the queue. Messages and events may come twice.
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
	out.BatchItemFailures = []events.SQSBatchItemFailure{} // a list, because AWS may not treat null as success
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

// deliver delivers the events of one tenant. If time runs out, it sends a message for the rest.
func (d *Deliver) deliver(ctx context.Context, id string) error {
	if !tenant.ValidID(id) {
		return nil // no message of ours
	}
	// If another worker has the lease, nothing is to be done: if that worker dies, its own message comes again after
	// the queue's visibility timeout, which is longer than the lease.
	left, err := d.worker.Work(ctx, id)
	if err == nil && left.More {
		err = d.queue.Send(ctx, id)
	}
	return err
}
