// Package awsenv makes the AWS configuration of a Lambda function from the variables that Lambda sets. It stands in for
// the SDK's config package, whose chain of credential sources no function needs and every cold start would pay for.
package awsenv

import (
	"context"
	"os"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
)

// Config returns the configuration: the region and the credentials of the function's role. Lambda replaces the process
// before the credentials end.
func Config() aws.Config {
	credentials := aws.Credentials{
		AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	return aws.Config{
		Region: os.Getenv("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
	}
}

// Endpoint returns the endpoint that a variable of the SDK's standard names sets for a service ("DYNAMODB",
// "SECRETS_MANAGER"), nil if it is AWS's own.
func Endpoint(service string) *string {
	if url := os.Getenv("AWS_ENDPOINT_URL_" + service); url != "" {
		return &url
	}
	return nil
}

// Store returns the store on a table. The client is created at the first call: a request without a token needs none.
func Store(table string) *store.Store {
	client := sync.OnceValue(func() *dynamodb.Client {
		return dynamostore.NewClient(Config(), func(o *dynamodb.Options) { o.BaseEndpoint = Endpoint("DYNAMODB") })
	})
	return store.New(dynamostore.Lazy(client, table), store.Options{})
}
