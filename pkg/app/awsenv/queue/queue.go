// Package queue sends the names of tenants whose events are to be delivered to Amazon SQS: from the function stream,
// which sees that a log has grown, to the function deliver.
package queue

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
)

// most is how many messages SQS takes in one call.
const most = 10

// Queue is a queue of tenants. It is safe for concurrent use.
type Queue struct {
	client *sqs.Client
	url    string
}

// New returns the queue with a URL.
func New(url string) *Queue {
	client := sqs.NewFromConfig(awsenv.Config(), func(o *sqs.Options) { o.BaseEndpoint = awsenv.Endpoint("SQS") })
	return &Queue{client, url}
}

// Send puts tenants into the queue. After an error some of them may be in it.
func (q *Queue) Send(ctx context.Context, tenants ...string) error {
	for some := range slices.Chunk(tenants, most) {
		entries := make([]types.SendMessageBatchRequestEntry, len(some))
		for i := range some {
			id := strconv.Itoa(i)
			entries[i] = types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &some[i]}
		}
		out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
		if err != nil {
			return fmt.Errorf("queue: %w", err)
		}
		if n := len(out.Failed); n > 0 {
			return fmt.Errorf("queue: %d of %d messages were refused", n, len(some))
		}
	}
	return nil
}
