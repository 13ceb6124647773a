package dynamostore

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

func encodeKey(k store.Key) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		store.AttrPK: &types.AttributeValueMemberS{Value: k.PK},
		store.AttrSK: &types.AttributeValueMemberS{Value: k.SK},
	}
}

func decodeKey(av map[string]types.AttributeValue) (store.Key, error) {
	pk, ok := av[store.AttrPK].(*types.AttributeValueMemberS)
	if !ok {
		return store.Key{}, fmt.Errorf("dynamostore: an item without the string attribute %s", store.AttrPK)
	}
	sk, ok := av[store.AttrSK].(*types.AttributeValueMemberS)
	if !ok {
		return store.Key{}, fmt.Errorf("dynamostore: an item without the string attribute %s", store.AttrSK)
	}
	return store.Key{PK: pk.Value, SK: sk.Value}, nil
}

// encodeValue takes a string, an int64 or a []byte; a nil slice is an empty one.
func encodeValue(v any) (types.AttributeValue, error) {
	if b, ok := v.([]byte); ok && len(b) == 0 {
		return &types.AttributeValueMemberB{Value: []byte{}}, nil
	}
	switch v.(type) {
	case string, int64, []byte:
		return attributevalue.Marshal(v)
	}
	return nil, fmt.Errorf("dynamostore: a value of type %T can't be stored", v)
}

func encodeItem(k store.Key, attrs store.Attrs) (map[string]types.AttributeValue, error) {
	av := encodeKey(k)
	for name, v := range attrs {
		encoded, err := encodeValue(v)
		if err != nil {
			return nil, err
		}
		av[name] = encoded
	}
	return av, nil
}

// decodeItem splits what DynamoDB holds into key and attributes. Numbers are read digit by digit, never through a
// float64.
func decodeItem(av map[string]types.AttributeValue) (store.Item, error) {
	key, err := decodeKey(av)
	if err != nil {
		return store.Item{}, err
	}
	attrs, err := decodeAttrs(av)
	return store.Item{Key: key, Attrs: attrs}, err
}

func decodeAttrs(av map[string]types.AttributeValue) (store.Attrs, error) {
	attrs := store.Attrs{}
	exact := func(o *attributevalue.DecoderOptions) { o.UseNumber = true }
	if err := attributevalue.UnmarshalMapWithOptions(av, (*map[string]any)(&attrs), exact); err != nil {
		return nil, fmt.Errorf("dynamostore: decode item: %w", err)
	}
	delete(attrs, store.AttrPK)
	delete(attrs, store.AttrSK)
	for name, v := range attrs {
		switch v := v.(type) {
		case string, []byte:
		case attributevalue.Number:
			n, err := v.Int64()
			if err != nil {
				return nil, fmt.Errorf("dynamostore: attribute %q is no 64-bit integer", name)
			}
			attrs[name] = n
		default:
			return nil, fmt.Errorf("dynamostore: attribute %q has the unexpected type %T", name, v)
		}
	}
	return attrs, nil
}
