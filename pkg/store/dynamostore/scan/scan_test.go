package scan_test

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
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore/scan"
)

// busy is an HTTP client whose first answers are refusals, and which keeps the body of the last request.
type busy struct {
	left int
	body string
}

func (b *busy) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	b.body = string(body)
	status, answer := http.StatusOK, `{"Items":[{"pk":{"S":"p"},"sk":{"S":"s"}}]}`
	if b.left--; b.left >= 0 {
		status, answer = http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}`
		if b.left%2 == 1 {
			status, answer = http.StatusInternalServerError, `{"__type":"InternalServerError"}`
		}
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(answer)),
	}, err
}

// TestBusyTable: a scan of hours does not end because the table refuses for a moment, and no page is large.
func TestBusyTable(t *testing.T) {
	b := &busy{left: 6}
	client := dynamostore.NewClient(aws.Config{
		Region: "us-east-1", HTTPClient: b,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	}, func(o *dynamodb.Options) { o.BaseEndpoint = aws.String("http://127.0.0.1") })
	keys, next, err := scan.New(client, "table").Scan(t.Context(), store.Key{})
	if err != nil || len(keys) != 1 || keys[0] != (store.Key{PK: "p", SK: "s"}) || next != (store.Key{}) {
		t.Errorf("%v, %v, %v", keys, next, err)
	}
	if !strings.Contains(b.body, `"Limit":1000`) {
		t.Errorf("the page has no bound: %s", b.body)
	}
}
