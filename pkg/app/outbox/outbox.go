// Package outbox joins what tenants have to tell to AWS: events go to Amazon EventBridge, notices to Amazon SES or SNS. It is apart from
// manage, so that functions that tell nobody link none of these clients.
package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/event/awsevent"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/notice/awsmail"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Delivery returns what takes events and notices out of the table, by the function's environment.
func Delivery(env app.Env) (tenant.Delivery, error) {
	bus := os.Getenv(app.EnvEventBus)
	if bus == "" {
		return tenant.Delivery{}, fmt.Errorf("%s is not set", app.EnvEventBus)
	}
	client := eventbridge.NewFromConfig(awsenv.Config(), func(o *eventbridge.Options) { o.BaseEndpoint = awsenv.Endpoint("EVENTBRIDGE") })
	product := os.Getenv(app.EnvNoticeProduct)
	notifier := notice.New(notice.Options{
		Sender: sender(product), Product: product, Contact: os.Getenv(app.EnvNoticeContact), BaseURL: env.BaseURL, Now: time.Now, Log: env.Log,
	})
	return tenant.Delivery{Event: event.Delivery(awsevent.New(client, awsevent.Options{Name: bus})), Notice: notifier.Deliver}, nil
}

// sender is SES where there is an address to send from, else SNS where there is a topic, else nil.
func sender(product string) notice.Sender {
	from, topic := os.Getenv(app.EnvNoticeFrom), os.Getenv(app.EnvNoticeTopic)
	switch {
	case from != "":
		client := sesv2.NewFromConfig(awsenv.Config(), func(o *sesv2.Options) { o.BaseEndpoint = awsenv.Endpoint("SESV2") })
		return awsmail.NewMail(client, awsmail.Options{From: from, Name: product, ConfigurationSet: os.Getenv(app.EnvNoticeConfigurationSet)})
	case topic != "":
		client := sns.NewFromConfig(awsenv.Config(), func(o *sns.Options) { o.BaseEndpoint = awsenv.Endpoint("SNS") })
		return awsmail.NewTopic(client, topic)
	}
	return nil
}

// Source is what the `source` of an EventBridge event says that Report reads.
const Source = "aws.ses"

// Report takes the detail of an event that SES has sent to EventBridge. Where it says that a notice did not arrive, that is logged and
// recorded. Reports of what is not known (a tenant that was deleted meanwhile) and of other mails are passed over. The same
// report may come any number of times.
func Report(ctx context.Context, env app.Env, tenants *tenant.Service, detail json.RawMessage) error {
	r, ok := awsmail.ReadReport(detail)
	if !ok {
		return nil
	}
	state := tenant.NoticeBounced
	if r.Rejected {
		state = tenant.NoticeFailed
	}
	env.Log.ErrorContext(ctx, "notice bounced", "tenant", r.Tenant, "notice", r.Notice, "state", state)
	err := tenants.MarkNotice(ctx, r.Tenant, r.Notice, state)
	if errors.Is(err, tenant.ErrNotFound) {
		return nil
	}
	return err
}
