package dynamostore_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
)

// capture is an HTTP client that keeps the last request.
type capture struct{ request *http.Request }

func (c *capture) Do(r *http.Request) (*http.Response, error) {
	c.request = r
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader("{}")),
	}, nil
}

// net/http reads on in a request's body after the answer has begun: it must find a clean end there, not an error.
func TestBodyOutlivesTheCall(t *testing.T) {
	var c capture
	client := dynamostore.NewClient(aws.Config{
		Region:     "us-east-1",
		HTTPClient: &c,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	}, func(o *dynamodb.Options) { o.BaseEndpoint = aws.String("http://127.0.0.1") })
	if _, _, err := dynamostore.New(client, "table").Get(t.Context(), []store.Key{{PK: "p", SK: "s"}}); err != nil {
		t.Fatal(err)
	}
	body, ok := c.request.Body.(io.WriterTo)
	if !ok {
		t.Fatalf("the body is a %T, which net/http sends apart from the head", c.request.Body)
	}
	var sent strings.Builder
	if _, err := body.WriteTo(&sent); err != nil || int64(sent.Len()) != c.request.ContentLength {
		t.Errorf("read %d of %d bytes after the call, error %v", sent.Len(), c.request.ContentLength, err)
	}
	if _, err := body.WriteTo(io.Discard); err != nil {
		t.Errorf("at the end of the body: %v", err)
	}
	if c.request.GetBody == nil {
		t.Error("the request can't be repeated on another connection")
	}
}
