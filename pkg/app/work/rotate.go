package work

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv/vault"
	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Rotate is the function that EventBridge Scheduler runs every hour, for the due changes of tenants' tokens. It also
// delivers the notices of tenants when the table's stream shows them, and handles the mail system's reports of bounced
// notices.
type Rotate struct {
	tenants  *tenant.Service
	members  *member.Service
	domains  *claim.Registry
	delivery tenant.Delivery
	report   Report
	log      *slog.Logger
}

// Report takes the detail of an event that the mail system has sent.
type Report func(ctx context.Context, log *slog.Logger, tenants *tenant.Service, detail json.RawMessage) error

// reports is the source of events that are for a Report.
const reports = "aws.ses"

// NewRotate returns the rotate function. delivery and report are those of package outbox: stream is in this package as
// well, and must not link them.
func NewRotate(
	delivery func(app.Env, *setup.Service) (tenant.Delivery, error), report Report,
) (*Rotate, error) {
	env, err := app.ReadEnv()
	if err != nil {
		return nil, err
	}
	st := awsenv.Store(env.Table)
	service, err := vault.Tenants(env, st)
	if err != nil {
		return nil, err
	}
	tells, err := delivery(env, setup.New(st, service, setup.Options{Now: time.Now}))
	if err != nil {
		return nil, err
	}
	return &Rotate{
		tenants: service, domains: claim.New(st, service, claim.Options{Now: time.Now, Log: env.Log}),
		members: member.New(st, member.Options{Now: time.Now, Log: env.Log}), delivery: tells,
		report: report, log: env.Log,
	}, nil
}

// overdue is the delay of a tenant's work from which on it is an error: the schedule and the run after it are hours
// late.
const overdue = 12 * time.Hour

// Handle makes one run. It returns an error, for which there is an alarm, if the work for some tenants failed or
// rotation is late; the next run tries again. A run that does not finish the due work writes an item that wakes the
// next one. For other records of the stream Handle delivers notices; for an event of the mail system it calls the
// Report.
func (r *Rotate) Handle(ctx context.Context, raw json.RawMessage) error {
	var ev struct {
		Source  string
		Detail  json.RawMessage
		Records []events.DynamoDBEventRecord
	}
	if err := json.Unmarshal(raw, &ev); err != nil {
		return fmt.Errorf("work: event: %w", err)
	}
	switch {
	case len(ev.Records) > 0:
		if !r.deliver(ctx, ev.Records) {
			return nil
		}
	case ev.Source == reports:
		return r.report(ctx, r.log, r.tenants, ev.Detail)
	default:
		// Counted, so that an alarm shows that the schedule has stopped, even if other events wake the function.
		defer r.log.InfoContext(ctx, "scheduled run")
	}
	return r.run(ctx)
}

// deliver delivers the notices of the tenants in a batch of stream records, and reports whether the batch asks for a
// run too. A failure is only logged, and the next run tries again: a mail system that is down must not delay the
// stream.
func (r *Rotate) deliver(ctx context.Context, records []events.DynamoDBEventRecord) (run bool) {
	seen := map[app.Wake]bool{}
	for _, record := range records {
		wake, ok := wakeOf(record)
		if !ok || seen[wake] {
			continue
		}
		seen[wake] = true
		switch wake.Kind {
		case store.WakeRotate:
			run = true
		case store.WakeTell:
			_ = r.tenants.Deliver(ctx, wake.Tenant, r.delivery)
		}
	}
	return run
}

// sweepFor is the time in which a run searches for members whose publication was never queued, and for abandoned
// tenants; and the time in which it checks domains.
const sweepFor = 2 * time.Minute

func (r *Rotate) run(ctx context.Context) error {
	run, err := r.tenants.Rotate(ctx, r.delivery)
	if err != nil {
		return err
	}
	if err := r.members.Sweep(ctx, r.tenants.ClearAbandoned, after(sweepFor)); err != nil {
		return fmt.Errorf("members to publish could not be listed: %w", err)
	}
	if err := r.domains.Daily(ctx, after(sweepFor)); err != nil {
		return fmt.Errorf("domains were not checked: %w", err)
	}
	switch {
	case run.Failed > 0:
		return fmt.Errorf("rotation failed and will be tried again; number of tenants: %d", run.Failed)
	case run.Late > overdue:
		return fmt.Errorf("rotation was late by %s", run.Late)
	}
	return nil
}

// after reports whether some time is over.
func after(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return !time.Now().Before(end) }
}
