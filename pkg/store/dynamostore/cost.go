package dynamostore

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

func chargeCall(ctx context.Context) { store.Charge(ctx, store.Cost{Calls: 1}) }

// All of these charge the capacity that DynamoDB reports, but at least the certain minimum: DynamoDB Local reports
// too little for a transaction, and nothing for a read that finds nothing.

func chargeRead(ctx context.Context, c *types.ConsumedCapacity, least float64) {
	store.Charge(ctx, store.Cost{Calls: 1, ReadUnits: max(units(c), least)})
}

func chargeReads(ctx context.Context, tables []types.ConsumedCapacity, items []store.Item, unread []int) {
	least := 0.0
	for i, item := range items {
		if !slices.Contains(unread, i) {
			least += store.ReadUnits(store.ItemBytes(item.Key, item.Attrs))
		}
	}
	store.Charge(ctx, store.Cost{Calls: 1, ReadUnits: max(total(tables), least)})
}

func chargeWrites(ctx context.Context, tables []types.ConsumedCapacity, least float64) {
	store.Charge(ctx, store.Cost{Calls: 1, WriteUnits: max(total(tables), least)})
}

func chargeWrite(ctx context.Context, c *types.ConsumedCapacity) {
	store.Charge(ctx, store.Cost{Calls: 1, WriteUnits: units(c)})
}

// chargeFailure charges a write that failed. DynamoDB does not report it, but if a condition does not hold, it
// costs as much as the write: by the larger of the item as it was and as it would be.
func chargeFailure(ctx context.Context, ops []store.Op, factor float64, err error) {
	cost := store.Cost{Calls: 1}
	var condition *store.ConditionError
	if errors.As(err, &condition) {
		before := make(map[int]store.Attrs, len(condition.Failed))
		for _, f := range condition.Failed {
			before[f.Index] = f.Attrs
		}
		for i, op := range ops {
			cost.WriteUnits += factor * max(leastUnits(op), store.WriteUnits(store.ItemBytes(op.Key, before[i])))
		}
	}
	store.Charge(ctx, cost)
}

// transactUnits is the least cost of a transaction, by the items it writes; those that it replaces or deletes are
// not known here.
func transactUnits(ops []store.Op) float64 {
	sum := 0.0
	for _, op := range ops {
		sum += 2 * leastUnits(op)
	}
	return sum
}

func leastUnits(op store.Op) float64 {
	return store.WriteUnits(store.ItemBytes(op.Key, op.Set))
}

func total(tables []types.ConsumedCapacity) float64 {
	sum := 0.0
	for i := range tables {
		sum += units(&tables[i])
	}
	return sum
}

func units(c *types.ConsumedCapacity) float64 {
	if c == nil {
		return 0
	}
	return aws.ToFloat64(c.CapacityUnits)
}
