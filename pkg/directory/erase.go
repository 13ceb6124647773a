package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Erase removes everything that the directory holds of a deleted tenant. After a crash it is simply run again: it
// removes the items that are still there. still is asked after each read whether the tenant is deleted yet: if
// not, somebody else has erased it, and the items read may be under keys that a new tenant of the same id has by
// now.
func (d *Directory) Erase(
	ctx context.Context, tenantID string, still func(context.Context) (bool, error),
) error {
	ts := d.store.Tenant(tenantID)
	pks, err := partitions(ctx, ts)
	if err != nil {
		return err
	}
	for _, pk := range pks {
		for {
			page, err := ts.Query(ctx, store.Query{PK: pk, Select: store.KeysOnly, Limit: 1000})
			if err != nil {
				return err
			}
			if page.Count == 0 {
				break
			}
			if deleted, err := still(ctx); err != nil || !deleted {
				return err
			}
			ops := make([]store.Op, len(page.Items))
			for i, it := range page.Items {
				ops[i] = store.RemoveItem(it.Key)
			}
			if err := ts.Batch(ctx, ops...); err != nil {
				return err
			}
		}
	}
	return nil
}
