package dynamostore_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// What is particular to DynamoDB; all else is in the conformance suite.

func TestValuesSurvive(t *testing.T) {
	ctx := context.Background()
	e := dynamolocal.Engine(t)
	key := store.Key{PK: "p", SK: "a\x01b\x02"}
	want := store.Attrs{
		"empty": "", "text": "ÄÖ\x00", "none": []byte{}, "bytes": []byte{0, 255},
		"max": int64(math.MaxInt64), "min": int64(math.MinInt64), "odd": int64(1<<53 + 1), "size": "a reserved word",
	}
	if err := e.Transact(ctx, "", []store.Op{{Kind: store.Put, Key: key, Set: want}}); err != nil {
		t.Fatal(err)
	}
	items, unread, err := e.Get(ctx, []store.Key{key})
	if err != nil || len(unread) != 0 {
		t.Fatal(err, unread)
	}
	got := items[0].Attrs
	if len(got) != len(want) {
		t.Errorf("got %d attributes, want %d: %v", len(got), len(want), got)
	}
	for name, v := range want {
		if b, ok := v.([]byte); ok {
			if g, ok := got[name].([]byte); !ok || !bytes.Equal(b, g) {
				t.Errorf("%s is %v, want %v", name, got[name], v)
			}
		} else if got[name] != v {
			t.Errorf("%s is %#v, want %#v", name, got[name], v)
		}
	}
}

func TestUpdateOfNothing(t *testing.T) {
	ctx := context.Background()
	e := dynamolocal.Engine(t)
	for name, token := range map[string]string{"plain": "", "in a transaction": "token"} {
		for what, op := range map[string]store.Op{
			"nothing": {Kind: store.Update},
			"unset":   {Kind: store.Update, Unset: []string{"gone"}},
			"add":     {Kind: store.Update, Add: map[string]int64{"n": -3}},
		} {
			op.Key = store.Key{PK: name, SK: what}
			if token != "" {
				token = "token " + what
			}
			if err := e.Transact(ctx, token, []store.Op{op}); err != nil {
				t.Errorf("%s %s: %v", name, what, err)
				continue
			}
			items, _, err := e.Get(ctx, []store.Key{op.Key})
			if err != nil {
				t.Fatal(err)
			}
			if items[0].Attrs == nil {
				t.Errorf("%s %s: made no item", name, what)
			}
		}
	}
}

func TestRefusedByDynamoDB(t *testing.T) {
	ctx := context.Background()
	e := dynamolocal.Engine(t)
	key := store.Key{PK: "p", SK: "s"}
	big := strings.Repeat("x", 300<<10)
	if err := e.Transact(ctx, "", []store.Op{{Kind: store.Put, Key: key, Set: store.Attrs{"a": big}}}); err != nil {
		t.Fatal(err)
	}
	for name, op := range map[string]store.Op{
		"too large after the update": {Kind: store.Update, Key: key, Set: store.Attrs{"b": big}},
		"add to a string":            {Kind: store.Update, Key: key, Add: map[string]int64{"a": 1}},
	} {
		for _, token := range []string{"", "t " + name} {
			err := e.Transact(ctx, token, []store.Op{op})
			var limit *store.LimitError
			if !errors.As(err, &limit) {
				t.Errorf("%s, token %q: %v, want a LimitError", name, token, err)
			}
		}
	}
}
