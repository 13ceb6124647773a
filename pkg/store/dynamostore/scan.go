package dynamostore

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Scan returns keys of the table in no order, but partition by partition, from the beginning or behind a key. next is
// the key to go on behind; the zero key ends. It costs as much as to read the items. It is for those who look for what
// nobody owns: no request scans, and no function may.
func (e *Engine) Scan(ctx context.Context, after store.Key) (keys []store.Key, next store.Key, err error) {
	var x expression
	in := &dynamodb.ScanInput{
		TableName: &e.table, ConsistentRead: aws.Bool(true),
		ProjectionExpression:   aws.String(x.name(store.AttrPK) + ", " + x.name(store.AttrSK)),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	in.ExpressionAttributeNames = x.names
	if after != (store.Key{}) {
		in.ExclusiveStartKey = encodeKey(after)
	}
	out, err := e.client().Scan(ctx, in)
	if err != nil {
		chargeCall(ctx)
		return nil, store.Key{}, translate(ctx, "Scan", err)
	}
	chargeRead(ctx, out.ConsumedCapacity, 1)
	for _, av := range out.Items {
		key, err := scannedKey(av)
		if err != nil {
			return nil, store.Key{}, err
		}
		keys = append(keys, key)
	}
	if len(out.LastEvaluatedKey) > 0 {
		next, err = scannedKey(out.LastEvaluatedKey)
	}
	return keys, next, err
}

// scannedKey is the key of an item that a scan has found.
func scannedKey(av map[string]types.AttributeValue) (store.Key, error) {
	var key struct {
		PK string `dynamodbav:"pk"`
		SK string `dynamodbav:"sk"`
	}
	if err := attributevalue.UnmarshalMap(av, &key); err != nil {
		return store.Key{}, fmt.Errorf("dynamostore: %w", err)
	}
	return store.Key{PK: key.PK, SK: key.SK}, nil
}
