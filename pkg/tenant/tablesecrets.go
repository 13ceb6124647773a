package tenant

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const attrValue = "value"

// TableSecrets is a vault in the table itself. It stores tokens in plain text: for local runs and tests only. It has
// no stages: each token has its own item.
type TableSecrets struct{ store *store.Store }

var _ Secrets = TableSecrets{}

// NewTableSecrets returns a vault in a table.
func NewTableSecrets(st *store.Store) TableSecrets { return TableSecrets{st} }

// Keep is Secrets.Keep.
func (v TableSecrets) Keep(ctx context.Context, tenantID, tokenID, value string, _ Stage) error {
	return v.store.Write(ctx, store.Op{
		Kind: store.Put, Key: store.KeysOf(tenantID).Secret(tokenID),
		Set: store.Attrs{attrValue: value, store.AttrSchema: store.SchemaVersion},
	})
}

// Reveal is Secrets.Reveal.
func (v TableSecrets) Reveal(ctx context.Context, tenantID, tokenID string) (string, error) {
	items, err := v.store.Get(ctx, store.KeysOf(tenantID).Secret(tokenID))
	if err != nil {
		return "", err
	}
	value, ok := items[0].Attrs[attrValue].(string)
	if !ok {
		return "", ErrNoValue
	}
	return value, nil
}

// Promote is Secrets.Promote.
func (v TableSecrets) Promote(ctx context.Context, tenantID, tokenID string) error {
	_, err := v.Reveal(ctx, tenantID, tokenID)
	return err
}

// Drop is Secrets.Drop.
func (v TableSecrets) Drop(ctx context.Context, tenantID, tokenID string) error {
	return v.store.Write(ctx, store.Op{Kind: store.Delete, Key: store.KeysOf(tenantID).Secret(tokenID)})
}

// DropTenant is Secrets.DropTenant.
func (v TableSecrets) DropTenant(ctx context.Context, tenantID string) error {
	prefix := store.KeysOf(tenantID).Secret("")
	var ops []store.Op
	for item, err := range v.store.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if err != nil {
			return err
		}
		ops = append(ops, store.Op{Kind: store.Delete, Key: item.Key})
	}
	if len(ops) == 0 {
		return nil
	}
	return v.store.Batch(ctx, ops...)
}
