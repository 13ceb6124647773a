// Package scan lists the keys of a whole DynamoDB table, for the search for items without an owner. It is apart
// from dynamostore because no Lambda function scans, and each would load the part of the SDK that only a scan
// needs.
package scan

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
)

// Engine is the engine on a table, which can be scanned too.
type Engine struct {
	*dynamostore.Engine
	client *dynamodb.Client
	table  string
}

// New returns the engine on a table as dynamostore.New does.
func New(client *dynamodb.Client, table string) *Engine {
	return &Engine{dynamostore.New(client, table), client, table}
}

const (
	// pageItems bounds a page: DynamoDB Local reads the rest of the table for one without a bound, and is not in time.
	pageItems = 1000
	// patience bounds the time for one page, with all attempts.
	patience = 5 * time.Minute
	maxPause = time.Second
)

// Scan returns keys of the table in no order, but partition by partition, from the beginning or after a key. next is
// the key to go on after; the zero key ends. It costs as much as to read the items. A call that may succeed later is
// repeated for five minutes: a scan has no request to be in time for.
func (e *Engine) Scan(ctx context.Context, after store.Key) (keys []store.Key, next store.Key, err error) {
	in := &dynamodb.ScanInput{
		TableName: &e.table, ConsistentRead: aws.Bool(true),
		ProjectionExpression:     aws.String("#p, #s"),
		ExpressionAttributeNames: map[string]string{"#p": store.AttrPK, "#s": store.AttrSK},
		ReturnConsumedCapacity:   types.ReturnConsumedCapacityTotal, Limit: aws.Int32(pageItems),
	}
	if after != (store.Key{}) {
		in.ExclusiveStartKey = map[string]types.AttributeValue{
			store.AttrPK: &types.AttributeValueMemberS{Value: after.PK},
			store.AttrSK: &types.AttributeValueMemberS{Value: after.SK},
		}
	}
	inTime, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := e.client.Scan(inTime, in, func(o *dynamodb.Options) { o.Retryer = patient() })
	if err != nil {
		store.Charge(ctx, store.Cost{Calls: 1})
		return nil, store.Key{}, fmt.Errorf("dynamostore: Scan: %w", err)
	}
	cost := store.Cost{Calls: 1}
	if out.ConsumedCapacity != nil {
		cost.ReadUnits = aws.ToFloat64(out.ConsumedCapacity.CapacityUnits)
	}
	store.Charge(ctx, cost)
	for _, av := range out.Items {
		key, err := scanned(av)
		if err != nil {
			return nil, store.Key{}, err
		}
		keys = append(keys, key)
	}
	if len(out.LastEvaluatedKey) > 0 {
		next, err = scanned(out.LastEvaluatedKey)
	}
	return keys, next, err
}

// patient repeats a call until its context ends, with pauses of up to a second.
func patient() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.RateLimiter = math.MaxInt, ratelimit.None
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return rand.N(min(maxPause, 20*time.Millisecond<<min(attempt, 10))), nil
		})
	})
}

// scanned is the key of an item that a scan has found.
func scanned(av map[string]types.AttributeValue) (store.Key, error) {
	var key struct {
		PK string `dynamodbav:"pk"`
		SK string `dynamodbav:"sk"`
	}
	if err := attributevalue.UnmarshalMap(av, &key); err != nil {
		return store.Key{}, fmt.Errorf("dynamostore: %w", err)
	}
	return store.Key{PK: key.PK, SK: key.SK}, nil
}
