package awsmail

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/notice/message"
)

// Topic is a message.Sender that publishes the text of a notice to a topic of SNS, once for each language. The
// subscribers of the topic get it; it does not name the tenant's recipients. The attributes tenant, kind, language and
// notice let a subscription filter and a program forward.
type Topic struct {
	client *sns.Client
	arn    string
}

// NewTopic returns a Topic. One whose ARN ends in ".fifo" drops a message that comes twice within five minutes.
func NewTopic(client *sns.Client, arn string) *Topic { return &Topic{client: client, arn: arn} }

// Send is message.Sender.Send.
func (s *Topic) Send(ctx context.Context, m message.Message) error {
	if m.Kind == notice.SetupLink {
		return &message.RefusedError{Reason: "a set-up link goes to one person, and a topic has any subscribers"}
	}
	in := &sns.PublishInput{
		TopicArn: &s.arn,
		// SNS takes a hundred characters of ASCII as a subject.
		Subject: aws.String(fmt.Sprintf("SCIM token notice %s, tenant %s", m.Kind, m.Tenant)),
		Message: aws.String(m.Subject + "\n\n" + m.Text),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"tenant": text(m.Tenant), "kind": text(string(m.Kind)), "language": text(m.Language),
			"notice": text(m.Notice),
		},
	}
	if strings.HasSuffix(s.arn, ".fifo") {
		in.MessageGroupId, in.MessageDeduplicationId = &m.Tenant, &m.ID
	}
	if _, err := s.client.Publish(ctx, in); err != nil {
		return fmt.Errorf("awsmail: publish: %w", quiet(err))
	}
	return nil
}

func text(s string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
}
