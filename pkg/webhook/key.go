package webhook

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const attrValue = "value"

// TableKey returns an Options.Key that keeps the key in the table itself: for local runs and tests only, whose tokens
// lie there as well.
func TableKey(st *store.Store) func(ctx context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		made := store.PutItem(store.WebhookKey, store.Attrs{attrValue: rand.Text() + rand.Text()}).
			When(store.IsAbsent())
		err := st.Write(ctx, made)
		if failed := (*store.ConditionError)(nil); err != nil && !errors.As(err, &failed) {
			return nil, err
		}
		items, err := st.Get(ctx, store.WebhookKey)
		if err != nil {
			return nil, err
		}
		value, _ := items[0].Attrs[attrValue].(string)
		return []byte(value), nil
	}
}
