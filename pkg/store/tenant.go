package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// ErrForeignKey reports a key outside the tenant's partitions: a fault of the program. Nothing reached the engine.
var ErrForeignKey = errors.New("store: key outside the tenant")

// TenantStore is a Store that reads and writes the partitions of one tenant only, and makes their keys. Its methods are
// those of Store; a key of any other partition gives ErrForeignKey.
type TenantStore struct {
	Keys
	store *Store
}

// Tenant returns the Store of one tenant.
func (s *Store) Tenant(id string) *TenantStore { return &TenantStore{Keys: KeysOf(id), store: s} }

// Get is Store.Get.
func (t *TenantStore) Get(ctx context.Context, keys ...Key) ([]Item, error) {
	for _, k := range keys {
		if err := t.fence(k.PK); err != nil {
			return nil, err
		}
	}
	return t.store.Get(ctx, keys...)
}

// Query is Store.Query.
func (t *TenantStore) Query(ctx context.Context, q Query) (Page, error) {
	if err := t.fence(q.PK); err != nil {
		return Page{}, err
	}
	return t.store.Query(ctx, q)
}

// All is Store.All.
func (t *TenantStore) All(ctx context.Context, q Query) iter.Seq2[Item, error] {
	if err := t.fence(q.PK); err != nil {
		return func(yield func(Item, error) bool) { yield(Item{}, err) }
	}
	return t.store.All(ctx, q)
}

// Pages is Store.Pages.
func (t *TenantStore) Pages(ctx context.Context, q Query) iter.Seq2[Page, error] {
	if err := t.fence(q.PK); err != nil {
		return func(yield func(Page, error) bool) { yield(Page{}, err) }
	}
	return t.store.Pages(ctx, q)
}

// Count returns the number of items in the partition of prefix whose sort keys begin with that of prefix. It reads
// them all.
func (t *TenantStore) Count(ctx context.Context, prefix Key) (n int64, err error) {
	for page, err := range t.Pages(ctx, Query{PK: prefix.PK, Prefix: prefix.SK, Select: CountOnly}) {
		if err != nil {
			return n, err
		}
		n += int64(page.Count)
	}
	return n, nil
}

// Transact is Store.Transact.
func (t *TenantStore) Transact(ctx context.Context, ops ...Op) error {
	if err := t.fenceOps(ops); err != nil {
		return err
	}
	return t.store.Transact(ctx, ops...)
}

// Write is Store.Write.
func (t *TenantStore) Write(ctx context.Context, op Op) error {
	if err := t.fence(op.PK); err != nil {
		return err
	}
	return t.store.Write(ctx, op)
}

// Batch is Store.Batch.
func (t *TenantStore) Batch(ctx context.Context, ops ...Op) error {
	if err := t.fenceOps(ops); err != nil {
		return err
	}
	return t.store.Batch(ctx, ops...)
}

func (t *TenantStore) fenceOps(ops []Op) error {
	for _, op := range ops {
		if err := t.fence(op.PK); err != nil {
			return err
		}
	}
	return nil
}

func (t *TenantStore) fence(pk string) error {
	if t.Owns(pk) {
		return nil
	}
	return fmt.Errorf("%w: partition %q, tenant %q", ErrForeignKey, pk, t.tenant)
}
