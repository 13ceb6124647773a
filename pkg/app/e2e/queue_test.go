package e2e_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/fakelambda"
)

// sqs is a queue whose messages a function gets at once, again until it has taken them.
type sqs struct {
	url      string
	ctx      context.Context
	function *fakelambda.Function
	under    sync.WaitGroup
}

func startQueue(t *testing.T) *sqs {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	q := &sqs{ctx: ctx}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Entries []struct{ ID, MessageBody string }
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil ||
			r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessageBatch" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var done []map[string]string
		for _, e := range in.Entries {
			sum := md5.Sum([]byte(e.MessageBody))
			done = append(done, map[string]string{
				"Id": e.ID, "MessageId": e.ID, "MD5OfMessageBody": hex.EncodeToString(sum[:]),
			})
			q.under.Go(func() { q.deliver(e.MessageBody) })
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_ = json.NewEncoder(w).Encode(map[string]any{"Successful": done})
	}))
	q.url = web.URL
	t.Cleanup(func() {
		stop()
		web.Close()
		q.under.Wait()
	})
	return q
}

// deliver calls the function with a message.
func (q *sqs) deliver(body string) {
	message := fmt.Sprintf(`{"Records":[{"messageId":"1","body":%q,"eventSource":"aws:sqs"}]}`, body)
	for q.ctx.Err() == nil {
		raw, err := q.function.Invoke(q.ctx, []byte(message))
		var out events.SQSEventResponse
		if err == nil && json.Unmarshal(raw, &out) == nil && len(out.BatchItemFailures) == 0 {
			return
		}
		select { // a message that was not taken is not seen for a while
		case <-q.ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
