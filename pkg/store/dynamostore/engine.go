package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Engine is one DynamoDB table as a store.Engine.
type Engine struct {
	client func() *dynamodb.Client
	table  string
}

var _ store.Engine = (*Engine)(nil)

// New returns the engine on a table, which has to be there. The client should be one of NewClient: an engine must not
// retry.
func New(client *dynamodb.Client, table string) *Engine {
	return Lazy(func() *dynamodb.Client { return client }, table)
}

// Lazy is New with a client that is created when it is first needed. client is called before each call to DynamoDB.
func Lazy(client func() *dynamodb.Client, table string) *Engine {
	return &Engine{client: client, table: table}
}

// Get implements store.Engine: one key is a GetItem, more are a BatchGetItem, each strongly consistent.
func (e *Engine) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	if err := store.ValidateGet(keys); err != nil {
		return nil, nil, err
	}
	if len(keys) > 1 {
		return e.getMany(ctx, keys)
	}
	item, err := e.getOne(ctx, keys[0])
	if err != nil {
		return nil, nil, err
	}
	return []store.Item{item}, nil, nil
}

func (e *Engine) getOne(ctx context.Context, key store.Key) (store.Item, error) {
	out, err := e.client().GetItem(ctx, &dynamodb.GetItemInput{
		TableName:              &e.table,
		Key:                    encodeKey(key),
		ConsistentRead:         aws.Bool(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		chargeCall(ctx)
		return store.Item{}, translate(ctx, "GetItem", err)
	}
	chargeRead(ctx, out.ConsumedCapacity, 1)
	if len(out.Item) == 0 {
		return store.Item{Key: key}, nil
	}
	return decodeItem(out.Item)
}

func (e *Engine) getMany(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	items := make([]store.Item, len(keys))
	index := make(map[store.Key]int, len(keys))
	encoded := make([]map[string]types.AttributeValue, len(keys))
	for i, k := range keys {
		items[i].Key = k
		index[k] = i
		encoded[i] = encodeKey(k)
	}
	out, err := e.client().BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{
			e.table: {Keys: encoded, ConsistentRead: aws.Bool(true)},
		},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		chargeCall(ctx)
		return nil, nil, translate(ctx, "BatchGetItem", err)
	}
	for _, answers := range out.Responses {
		for _, av := range answers {
			item, err := decodeItem(av)
			if err != nil {
				return nil, nil, err
			}
			items[index[item.Key]] = item
		}
	}
	var unread []int
	for _, rest := range out.UnprocessedKeys {
		for _, av := range rest.Keys {
			key, err := decodeKey(av)
			if err != nil {
				return nil, nil, err
			}
			unread = append(unread, index[key])
		}
	}
	chargeReads(ctx, out.ConsumedCapacity, items, unread)
	return items, unread, nil
}

// Batch implements store.Engine with one BatchWriteItem.
func (e *Engine) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	if err := store.ValidateBatch(ops); err != nil {
		return nil, err
	}
	requests := make([]types.WriteRequest, len(ops))
	index := make(map[store.Key]int, len(ops))
	for i, op := range ops {
		index[op.Key] = i
		if op.Kind == store.Delete {
			requests[i].DeleteRequest = &types.DeleteRequest{Key: encodeKey(op.Key)}
			continue
		}
		item, err := encodeItem(op.Key, op.Set)
		if err != nil {
			return nil, err
		}
		requests[i].PutRequest = &types.PutRequest{Item: item}
	}
	out, err := e.client().BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems:           map[string][]types.WriteRequest{e.table: requests},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		chargeCall(ctx)
		return nil, translate(ctx, "BatchWriteItem", err)
	}
	chargeWrites(ctx, out.ConsumedCapacity, 0)
	var undone []int
	for _, rest := range out.UnprocessedItems {
		for _, r := range rest {
			key, err := requestKey(r)
			if err != nil {
				return nil, err
			}
			undone = append(undone, index[key])
		}
	}
	return undone, nil
}

func requestKey(r types.WriteRequest) (store.Key, error) {
	if r.DeleteRequest != nil {
		return decodeKey(r.DeleteRequest.Key)
	}
	if r.PutRequest != nil {
		return decodeKey(r.PutRequest.Item)
	}
	return decodeKey(nil)
}
