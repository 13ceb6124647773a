package local

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
)

// openDynamoDB joins a table in AWS, with the credentials that the AWS command line would use, or at an endpoint such as
// DynamoDB Local's, which takes any. A missing table is created.
func openDynamoDB(ctx context.Context, o Options) (store.Engine, io.Closer, error) {
	if o.Table == "" {
		return nil, nil, errors.New("-engine dynamodb needs -table")
	}
	var options []func(*config.LoadOptions) error
	if o.DynamoDBEndpoint != "" {
		options = append(options, config.WithRegion("us-east-1"), config.WithCredentialsProvider(
			aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local", Source: "-dynamodb-endpoint"}, nil
			})))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, nil, err
	}
	client := dynamostore.NewClient(cfg, func(d *dynamodb.Options) {
		if o.DynamoDBEndpoint != "" {
			d.BaseEndpoint = &o.DynamoDBEndpoint
		}
	})
	if err := dynamostore.CreateTable(ctx, client, o.Table); err != nil {
		return nil, nil, fmt.Errorf("table %s: %w", o.Table, err)
	}
	return dynamostore.New(client, o.Table), nothing{}, nil
}

// nothing is the io.Closer of an engine that has nothing to close.
type nothing struct{}

func (nothing) Close() error { return nil }
