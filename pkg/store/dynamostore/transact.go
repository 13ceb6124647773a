package dynamostore

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const allOld = types.ReturnValuesOnConditionCheckFailureAllOld

// Transact implements store.Engine with one TransactWriteItems, or with a plain write if one operation without a
// token asks for no more.
func (e *Engine) Transact(ctx context.Context, token string, ops []store.Op) error {
	if err := store.ValidateToken(token); err != nil {
		return err
	}
	if err := store.ValidateTransact(ops); err != nil {
		return err
	}
	if len(ops) == 1 && token == "" && ops[0].Kind != store.Check {
		return e.write(ctx, ops[0])
	}
	in := &dynamodb.TransactWriteItemsInput{
		TransactItems:          make([]types.TransactWriteItem, len(ops)),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	if token != "" {
		in.ClientRequestToken = &token
	}
	for i, op := range ops {
		item, err := e.transactItem(op)
		if err != nil {
			return err
		}
		in.TransactItems[i] = item
	}
	out, err := e.client().TransactWriteItems(ctx, in)
	if err != nil {
		err = translate(ctx, "TransactWriteItems", err)
		chargeFailure(ctx, ops, 2, err)
		return err
	}
	chargeWrites(ctx, out.ConsumedCapacity, transactUnits(ops))
	return nil
}

func (e *Engine) transactItem(op store.Op) (types.TransactWriteItem, error) {
	var x expression
	var item types.TransactWriteItem
	condition := x.condition(op.If)
	switch op.Kind {
	case store.Put:
		encoded, err := encodeItem(op.Key, op.Set)
		if err != nil {
			return item, err
		}
		item.Put = &types.Put{
			TableName: &e.table, Item: encoded,
			ConditionExpression: condition, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values,
			ReturnValuesOnConditionCheckFailure: allOld,
		}
	case store.Update:
		update := x.update(op)
		item.Update = &types.Update{
			TableName: &e.table, Key: encodeKey(op.Key), UpdateExpression: update,
			ConditionExpression: condition, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values,
			ReturnValuesOnConditionCheckFailure: allOld,
		}
	case store.Delete:
		item.Delete = &types.Delete{
			TableName: &e.table, Key: encodeKey(op.Key),
			ConditionExpression: condition, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values,
			ReturnValuesOnConditionCheckFailure: allOld,
		}
	case store.Check:
		item.ConditionCheck = &types.ConditionCheck{
			TableName: &e.table, Key: encodeKey(op.Key),
			ConditionExpression: condition, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values,
			ReturnValuesOnConditionCheckFailure: allOld,
		}
	default:
		return item, fmt.Errorf("dynamostore: unknown kind of operation %d", op.Kind)
	}
	return item, x.err
}

// write carries out one operation outside a transaction. It takes the expressions from those for a transaction.
func (e *Engine) write(ctx context.Context, op store.Op) error {
	item, err := e.transactItem(op)
	if err != nil {
		return err
	}
	var consumed *types.ConsumedCapacity
	switch {
	case item.Put != nil:
		consumed, err = e.put(ctx, item.Put)
	case item.Update != nil:
		consumed, err = e.update(ctx, item.Update)
	case item.Delete != nil:
		consumed, err = e.delete(ctx, item.Delete)
	}
	if err != nil {
		err = translate(ctx, "write", err)
		chargeFailure(ctx, []store.Op{op}, 1, err)
		return err
	}
	chargeWrite(ctx, consumed)
	return nil
}

func (e *Engine) put(ctx context.Context, w *types.Put) (*types.ConsumedCapacity, error) {
	out, err := e.client().PutItem(ctx, &dynamodb.PutItemInput{
		TableName: w.TableName, Item: w.Item, ConditionExpression: w.ConditionExpression,
		ExpressionAttributeNames: w.ExpressionAttributeNames, ExpressionAttributeValues: w.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: allOld,
		ReturnConsumedCapacity:              types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, err
	}
	return out.ConsumedCapacity, nil
}

func (e *Engine) update(ctx context.Context, w *types.Update) (*types.ConsumedCapacity, error) {
	out, err := e.client().UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: w.TableName, Key: w.Key,
		UpdateExpression: w.UpdateExpression, ConditionExpression: w.ConditionExpression,
		ExpressionAttributeNames: w.ExpressionAttributeNames, ExpressionAttributeValues: w.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: allOld,
		ReturnConsumedCapacity:              types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, err
	}
	return out.ConsumedCapacity, nil
}

func (e *Engine) delete(ctx context.Context, w *types.Delete) (*types.ConsumedCapacity, error) {
	out, err := e.client().DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: w.TableName, Key: w.Key, ConditionExpression: w.ConditionExpression,
		ExpressionAttributeNames: w.ExpressionAttributeNames, ExpressionAttributeValues: w.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: allOld,
		ReturnConsumedCapacity:              types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, err
	}
	return out.ConsumedCapacity, nil
}
