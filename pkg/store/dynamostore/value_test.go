package dynamostore

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"pgregory.net/rapid"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestValuesAreThoseOfTheSDK: the conversion of values agrees with the SDK's own, in both directions.
func TestValuesAreThoseOfTheSDK(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		number := rapid.Int64().Draw(t, "number")
		bytes := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		attrs := store.Attrs{"text": text, "number": number, "bytes": bytes}
		got, err := encodeItem(store.Key{PK: "p", SK: "s"}, attrs)
		if err != nil {
			t.Fatal(err)
		}
		want, err := attributevalue.MarshalMap(map[string]any{
			"pk": "p", "sk": "s", "text": text, "number": number, "bytes": append([]byte{}, bytes...),
		})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v is stored as %#v, the SDK stores %#v", attrs, got, want)
		}
		var back struct {
			Text   string `dynamodbav:"text"`
			Number int64  `dynamodbav:"number"`
			Bytes  []byte `dynamodbav:"bytes"`
		}
		if err := attributevalue.UnmarshalMap(got, &back); err != nil {
			t.Fatal(err)
		}
		item, err := decodeItem(want)
		if err != nil || !reflect.DeepEqual(item.Attrs, store.Attrs{
			"text": back.Text, "number": back.Number, "bytes": back.Bytes,
		}) {
			t.Errorf("%v is read as %v, the SDK reads %v, %v", want, item.Attrs, back, err)
		}
	})
}
