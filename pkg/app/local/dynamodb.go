package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore/scan"
)

// openDynamoDB opens a table at an endpoint such as DynamoDB Local's, which takes any credentials, or in AWS, with the
// credentials that the AWS command line would use. A missing table is created.
func openDynamoDB(ctx context.Context, o Options) (store.Engine, io.Closer, error) {
	if o.Table == "" {
		return nil, nil, errors.New("-engine dynamodb needs -table")
	}
	cfg, err := config.LoadDefaultConfig(ctx, madeUp(o.DynamoDBEndpoint)...)
	if err != nil {
		return nil, nil, err
	}
	client := dynamostore.NewClient(cfg, func(d *dynamodb.Options) {
		if o.DynamoDBEndpoint != "" {
			d.BaseEndpoint = &o.DynamoDBEndpoint
		}
	})
	// The SDK may have found an endpoint in its configuration file.
	if inAWS(aws.ToString(client.Options().BaseEndpoint)) && !o.YesAWS {
		return nil, nil, fmt.Errorf("%w: -engine dynamodb would use a table in AWS, with credentials of this "+
			"environment: add -yes-aws to allow it, or name another server with -dynamodb-endpoint or AWS_ENDPOINT_URL",
			ErrNotMeant)
	}
	if o.Existing {
		return scan.New(client, o.Table), nothing{}, isThere(ctx, client, o.Table)
	}
	if err := dynamostore.CreateTable(ctx, client, o.Table); err != nil {
		return nil, nil, fmt.Errorf("table %s: %w", o.Table, err)
	}
	return scan.New(client, o.Table), nothing{}, nil
}

// isThere returns an error if DynamoDB says that there is no such table. Other failures are left to the first use of
// the table: who may use it need not have the permission to describe it.
func isThere(ctx context.Context, client *dynamodb.Client, table string) error {
	_, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table}, func(d *dynamodb.Options) {
		d.DisableValidateResponseChecksum = true // DynamoDB Local's errors have none, of which the SDK would warn
	})
	if missing := (*types.ResourceNotFoundException)(nil); !errors.As(err, &missing) {
		return nil
	}
	if at := aws.ToString(client.Options().BaseEndpoint); at != "" {
		return fmt.Errorf("there is no table %s at %s; -table and -dynamodb-endpoint name it", table, at)
	}
	return fmt.Errorf("there is no table %s in %s; -table and AWS_REGION name it", table, client.Options().Region)
}

// madeUp gives a server outside AWS a region and credentials, unless the environment does.
func madeUp(endpoint string) (options []func(*config.LoadOptions) error) {
	if inAWS(endpoint) {
		return nil
	}
	if os.Getenv("AWS_REGION") == "" && os.Getenv("AWS_DEFAULT_REGION") == "" {
		options = append(options, config.WithRegion("us-east-1"))
	}
	if os.Getenv("AWS_ACCESS_KEY_ID") == "" {
		options = append(options, config.WithCredentialsProvider(
			aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{
					AccessKeyID: "local", SecretAccessKey: "local", Source: "-dynamodb-endpoint",
				}, nil
			})))
	}
	return options
}

// inAWS reports whether an endpoint belongs to AWS. An empty one does: it is the default.
func inAWS(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if endpoint == "" || err != nil {
		return true
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	for _, suffix := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// nothing is the io.Closer of an engine that has nothing to close.
type nothing struct{}

func (nothing) Close() error { return nil }
