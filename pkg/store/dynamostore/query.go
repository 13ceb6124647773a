package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Query implements store.Engine.
func (e *Engine) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if err := store.ValidateQuery(q); err != nil {
		return store.Page{}, err
	}
	end := farEnd(q)
	if q.After != "" && q.After == end {
		return store.Page{}, nil // DynamoDB would refuse to start there
	}
	in, err := e.queryInput(q)
	if err != nil {
		return store.Page{}, err
	}
	out, err := e.client().Query(ctx, in)
	if err != nil {
		chargeCall(ctx)
		return store.Page{}, translate(ctx, "Query", err)
	}
	chargeRead(ctx, out.ConsumedCapacity, 1)
	page := store.Page{Count: int(out.Count)}
	for _, av := range out.Items {
		if q.Select == store.Texts {
			row, err := decodeRow(av, q.Texts)
			if err != nil {
				return store.Page{}, err
			}
			page.Rows = append(page.Rows, row)
			continue
		}
		item, err := decodeItem(av)
		if err != nil {
			return store.Page{}, err
		}
		page.Items = append(page.Items, item)
	}
	if len(out.LastEvaluatedKey) > 0 {
		last, err := decodeKey(out.LastEvaluatedKey)
		if err != nil {
			return store.Page{}, err
		}
		page.More, page.Last = true, last.SK
	} else if q.Limit > 0 && page.Count >= q.Limit && end != "" {
		// DynamoDB says nothing of a page that ends at its limit and at the end of the range at
		// once. The port always does.
		page.More, page.Last = true, end
		if len(page.Items) > 0 {
			page.Last = page.Items[len(page.Items)-1].SK
		} else if len(page.Rows) > 0 {
			page.Last = page.Rows[len(page.Rows)-1].SK
		}
	}
	return page, nil
}

// farEnd is the bound at which a query ends, "" for none.
func farEnd(q store.Query) string {
	switch {
	case q.Prefix != "":
		return ""
	case q.Reverse:
		return q.From
	}
	return q.To
}

func (e *Engine) queryInput(q store.Query) (*dynamodb.QueryInput, error) {
	var x expression
	in := &dynamodb.QueryInput{
		TableName:              &e.table,
		KeyConditionExpression: aws.String(x.name(store.AttrPK) + " = " + x.value(q.PK) + x.keyRange(q)),
		ConsistentRead:         aws.Bool(true),
		ScanIndexForward:       aws.Bool(!q.Reverse),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	if q.Limit > 0 {
		in.Limit = aws.Int32(int32(min(q.Limit, 1<<30)))
	}
	if q.After != "" {
		in.ExclusiveStartKey = encodeKey(store.Key{PK: q.PK, SK: q.After})
	}
	switch q.Select {
	case store.CountOnly:
		in.Select = types.SelectCount
	case store.KeysOnly, store.Texts:
		only := x.name(store.AttrPK) + ", " + x.name(store.AttrSK)
		for _, name := range q.Texts {
			only += ", " + x.name(name)
		}
		in.ProjectionExpression = aws.String(only)
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = x.names, x.values
	return in, x.err
}

// keyRange writes the part of a key condition that bounds the sort key.
func (e *expression) keyRange(q store.Query) string {
	switch {
	case q.Prefix != "":
		return " AND begins_with(" + e.name(store.AttrSK) + ", " + e.value(q.Prefix) + ")"
	case q.From != "" && q.To != "":
		return " AND " + e.name(store.AttrSK) + " BETWEEN " + e.value(q.From) + " AND " + e.value(q.To)
	case q.From != "":
		return " AND " + e.name(store.AttrSK) + " >= " + e.value(q.From)
	case q.To != "":
		return " AND " + e.name(store.AttrSK) + " <= " + e.value(q.To)
	}
	return ""
}
