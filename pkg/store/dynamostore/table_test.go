package dynamostore_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
)

func TestTable(t *testing.T) {
	ctx := context.Background()
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	if err := dynamostore.CreateTable(ctx, client, table); err != nil {
		t.Fatalf("a table that is there: %v", err)
	}
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	if b := out.Table.BillingModeSummary; b == nil || b.BillingMode != types.BillingModePayPerRequest {
		t.Errorf("billing is %+v", b)
	}
	ttl, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	if d := ttl.TimeToLiveDescription; d.AttributeName == nil || *d.AttributeName != "ttl" {
		t.Errorf("expiry is %+v", d)
	}
}
