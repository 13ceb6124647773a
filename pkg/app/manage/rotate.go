package manage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Rotate is the function that EventBridge Scheduler runs every hour: whatever is due of the tenants' tokens. It also
// delivers what tenants have to tell as the table's stream shows it, and takes what the mail system reports of notices
// that came back.
type Rotate struct {
	tenants  *tenant.Service
	delivery tenant.Delivery
	report   Report
	log      *slog.Logger
	again    func(context.Context) error // starts the next run
}

// Report takes the detail of an event that the mail system has sent.
type Report func(ctx context.Context, log *slog.Logger, tenants *tenant.Service, detail json.RawMessage) error

// reports is the source of events that are for a Report.
const reports = "aws.ses"

// NewRotate returns the rotate function. delivery and report are those of package outbox, which not every function that
// this package is in shall link.
func NewRotate(delivery func(app.Env) (tenant.Delivery, error), report Report) (*Rotate, error) {
	env, err := app.ReadEnv()
	if err != nil {
		return nil, err
	}
	service, err := tenants(env, awsenv.Store(env.Table))
	if err != nil {
		return nil, err
	}
	tells, err := delivery(env)
	if err != nil {
		return nil, err
	}
	return &Rotate{tenants: service, delivery: tells, report: report, log: env.Log, again: again}, nil
}

// overdue is how late a tenant may be before that is an error: the schedule, and a run after it, are hours behind.
const overdue = 12 * time.Hour

// Handle makes one run. Where it does not get to the end of what is due, it starts the next. Its error, which an alarm
// reports, says that something went wrong with some tenants, or that rotation is late; the next run sees to both.
// Records of the stream and events of the mail system make no run.
func (r *Rotate) Handle(ctx context.Context, raw json.RawMessage) error {
	var ev struct {
		Source  string
		Detail  json.RawMessage
		Records []events.DynamoDBEventRecord
	}
	if err := json.Unmarshal(raw, &ev); err != nil {
		return fmt.Errorf("manage: event: %w", err)
	}
	switch {
	case len(ev.Records) > 0:
		r.deliver(ctx, ev.Records)
		return nil
	case ev.Source == reports:
		return r.report(ctx, r.log, r.tenants, ev.Detail)
	}
	return r.run(ctx)
}

// deliver delivers for the tenants of a batch of stream records. What fails is logged there, and tried again by the
// next run: a mail system that is down must not hold up the stream.
func (r *Rotate) deliver(ctx context.Context, records []events.DynamoDBEventRecord) {
	seen := map[string]bool{}
	for _, record := range records {
		wake, ok := wakeOf(record)
		if !ok || !wake.Tells || seen[wake.Tenant] {
			continue
		}
		seen[wake.Tenant] = true
		_ = r.tenants.Deliver(ctx, wake.Tenant, r.delivery)
	}
}

func (r *Rotate) run(ctx context.Context) error {
	run, err := r.tenants.Rotate(ctx, r.delivery)
	if err != nil {
		return err
	}
	if run.More {
		if err := r.again(ctx); err != nil {
			r.log.ErrorContext(ctx, "the next run waits for the schedule", "error", err)
		}
	}
	switch {
	case run.Failed > 0:
		return fmt.Errorf("rotation of %d tenants failed and will be tried again", run.Failed)
	case run.Late > overdue:
		return fmt.Errorf("rotation was late by %s", run.Late)
	}
	return nil
}

// again invokes the function that this is once more, without waiting for it. One request does not pay for another
// client of the SDK.
func again(ctx context.Context) error {
	cfg, name := awsenv.Config(), os.Getenv("AWS_LAMBDA_FUNCTION_NAME")
	base := "https://lambda." + cfg.Region + ".amazonaws.com"
	if strings.HasPrefix(cfg.Region, "cn-") {
		base += ".cn"
	}
	if endpoint := awsenv.Endpoint("LAMBDA"); endpoint != nil {
		base = *endpoint
	}
	body := []byte(`{"source":"serverless-scim.rotate","detail-type":"More to do","detail":{}}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/2015-03-31/functions/"+name+"/invocations",
		bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-Amz-Invocation-Type", "Event")
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), "lambda", cfg.Region,
		time.Now()); err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("manage: invoke %s: status %d", name, resp.StatusCode)
	}
	return nil
}
