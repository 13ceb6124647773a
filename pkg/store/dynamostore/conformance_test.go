package dynamostore_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
	"github.com/serverless-scim/serverless-scim/pkg/store/storetest"
)

func TestConformance(t *testing.T) {
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	open := func(*testing.T) store.Engine { return dynamostore.New(client, table) }
	storetest.Run(t, open, storetest.Exceptions{
		OldSizes: "DynamoDB Local reports the cost of a transaction wrong, " +
			"so here it is computed from what is written; " +
			"AWS reports it right, and the larger figure counts",
		AbsentDeletes: "DynamoDB Local says so, and a batch does not learn what it deletes",
	})
}
