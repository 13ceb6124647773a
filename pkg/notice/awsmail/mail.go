// Package awsmail is the sender of package notice on AWS: mail through Amazon SES (Mail), or a topic of Amazon SNS
// (Topic) if there is no address to send from. It also reads the reports of SES about bounced mails (Report).
package awsmail

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"github.com/serverless-scim/serverless-scim/pkg/notice/message"
)

// Options of a Mail.
type Options struct {
	// From is the address of the sender, of an identity that SES has verified; required. Name is shown beside it.
	From, Name string
	// ConfigurationSet is the one of SES that reports bounces; "" is none.
	ConfigurationSet string
}

// Mail is a message.Sender on SES. One call sends one mail to all its recipients, or to nobody.
type Mail struct {
	client *sesv2.Client
	o      Options
}

// NewMail returns a Mail. The client should repeat calls that were throttled or failed in SES by itself, as it does by
// default.
func NewMail(client *sesv2.Client, o Options) *Mail { return &Mail{client: client, o: o} }

// Send is message.Sender.Send. A bad request of SES, such as an address that it can't parse, is a
// *message.RefusedError. All other errors may be temporary: a quota, a sandbox, an identity that is not verified yet.
func (s *Mail) Send(ctx context.Context, m message.Message) error {
	raw, err := m.Mail(s.o.From, s.o.Name)
	if err != nil {
		return err
	}
	in := &sesv2.SendEmailInput{
		FromEmailAddress: &s.o.From,
		Destination:      &types.Destination{ToAddresses: m.To},
		Content:          &types.EmailContent{Raw: &types.RawMessage{Data: raw}},
		EmailTags:        tags(m),
	}
	if s.o.ConfigurationSet != "" {
		in.ConfigurationSetName = &s.o.ConfigurationSet
	}
	_, err = s.client.SendEmail(ctx, in)
	bad := (*types.BadRequestException)(nil)
	switch {
	case errors.As(err, &bad):
		return &message.RefusedError{Reason: "SES: " + bad.ErrorCode()}
	case err != nil:
		return fmt.Errorf("awsmail: send: %w", quiet(err))
	}
	return nil
}
