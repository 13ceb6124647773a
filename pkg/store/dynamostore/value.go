package dynamostore

import (
	"fmt"
	"strconv"

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
	switch v := v.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}, nil
	case int64:
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}, nil
	case []byte:
		if v == nil {
			v = []byte{}
		}
		return &types.AttributeValueMemberB{Value: v}, nil
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

// decodeItem splits a DynamoDB item into key and attributes. Numbers are read digit by digit, never through a
// float64.
func decodeItem(av map[string]types.AttributeValue) (store.Item, error) {
	key, err := decodeKey(av)
	if err != nil {
		return store.Item{}, err
	}
	attrs, err := decodeAttrs(av)
	return store.Item{Key: key, Attrs: attrs}, err
}

// decodeRow reads the sort key and some texts of a DynamoDB item.
func decodeRow(av map[string]types.AttributeValue, names []string) (store.Row, error) {
	key, err := decodeKey(av)
	row := store.Row{SK: key.SK, Texts: make([]string, len(names))}
	for i, name := range names {
		if text, ok := av[name].(*types.AttributeValueMemberS); ok {
			row.Texts[i] = text.Value
		}
	}
	return row, err
}

func decodeAttrs(av map[string]types.AttributeValue) (store.Attrs, error) {
	attrs := make(store.Attrs, len(av))
	for name, v := range av {
		if name == store.AttrPK || name == store.AttrSK {
			continue
		}
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			attrs[name] = v.Value
		case *types.AttributeValueMemberB:
			attrs[name] = v.Value
		case *types.AttributeValueMemberN:
			n, err := strconv.ParseInt(v.Value, 10, 64)
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
