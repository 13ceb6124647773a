// Package outbox sends the notices of tenants through Amazon SES or SNS. It is separate from package work so that
// stream, which sends none, links none of these clients.
package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/notice/awsmail"
	"github.com/serverless-scim/serverless-scim/pkg/notice/message"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// patience is how long a service has to take a notice: one that hangs must not hold up the function.
const patience = 15 * time.Second

// Delivery returns the delivery of notices that the function's environment selects. Mails contain set-up links of
// links.
func Delivery(env app.Env, links *setup.Service) (tenant.Delivery, error) {
	o := message.Options{
		Sender: sender(env), Product: env.NoticeProduct, Contact: env.NoticeContact, BaseURL: env.BaseURL,
		Now: time.Now,
		Log: env.Log,
	}
	if env.NoticeFrom != "" && links != nil { // a topic has any readers
		o.Links = &message.Links{Invitation: links.Invitation, Renewal: links.Renewal}
	}
	notifier := message.New(o)
	return func(ctx context.Context, t notice.Tenant, n notice.Notice) (notice.State, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return notifier.Deliver(ctx, t, n)
	}, nil
}

// sender is SES if there is an address to send from, else SNS if there is a topic, else nil.
func sender(env app.Env) message.Sender {
	switch {
	case env.NoticeFrom != "":
		client := sesv2.NewFromConfig(awsenv.Config(),
			func(o *sesv2.Options) { o.BaseEndpoint = awsenv.Endpoint("SESV2") })
		return awsmail.NewMail(client, awsmail.Options{
			From: env.NoticeFrom, Name: env.NoticeProduct,
			ConfigurationSet: env.NoticeConfigurationSet,
		})
	case env.NoticeTopic != "":
		client := sns.NewFromConfig(awsenv.Config(), func(o *sns.Options) { o.BaseEndpoint = awsenv.Endpoint("SNS") })
		return awsmail.NewTopic(client, env.NoticeTopic)
	}
	return nil
}

// Report takes the detail of an event that SES has sent to EventBridge. If it says that a notice did not arrive,
// that is logged and recorded. It ignores reports about unknown tenants (deleted meanwhile) and about other mails.
// The same report may come any number of times.
func Report(ctx context.Context, log *slog.Logger, tenants *tenant.Service, detail json.RawMessage) error {
	r, ok := awsmail.ReadReport(detail)
	if !ok {
		return nil
	}
	state := notice.Bounced
	if r.Rejected {
		state = notice.Failed
	}
	log.ErrorContext(ctx, "notice bounced", "tenant", r.Tenant, "notice", r.Notice, "state", state)
	err := tenants.MarkNotice(ctx, r.Tenant, r.Notice, state)
	if errors.Is(err, tenant.ErrNotFound) {
		return nil
	}
	return err
}
