package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Resources of the types that an operator defines have neither names nor memberships nor references: each is its item, its lookups, its
// unique values and a counter.

// otherEntries returns the lookup items of such a resource.
func otherEntries(k store.Keys, r record) indexEntries {
	entries := indexEntries{}
	if external := text(r.doc, "externalId"); external != "" {
		entries[k.Lookup(externalID(r.rt), external, r.id)] = store.Attrs{}
	}
	return entries
}

// createOther stores a new resource. id is as for createUser.
func (d *Directory) createOther(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, body scim.Object) (Resource, error) {
	doc, err := rt.Normalize(body, t.Dialect)
	if err != nil {
		return Resource{}, err
	}
	once := d.givenID(rt, id)
	r := record{rt: rt, id: once.id, version: 1, doc: doc}
	ts := d.store.Tenant(t.ID)
	err = d.Retry(ctx, func() error {
		if err := once.check(ctx, ts); err != nil {
			return err
		}
		r.created = d.o.Now()
		r.modified = r.created
		return d.commitOther(ctx, ts, &r, indexEntries{}, nil, isAbsent()[0], counter.Add(ts.Keys, rt.ID, r.id, 1))
	})
	if err = once.settle(ctx, ts, err); err != nil {
		return Resource{}, err
	}
	return d.resource(t, r), nil
}

// commitOther writes r, with before the lookup items and held the unique values that it has so far, if its item is as expected.
func (d *Directory) commitOther(ctx context.Context, ts *store.TenantStore, r *record, before indexEntries, held []string, expected store.Cond, more ...store.Op) error {
	var claims, tx transaction
	if err := claims.claim(ts.Keys, r, held); err != nil {
		return err
	}
	tx.must(when(put(ResourceKey(ts.Keys, r.rt, r.id), r.attrs()), expected), ErrStale)
	tx.join(&claims)
	tx.reindex(before, otherEntries(ts.Keys, *r), store.Key{}, nil)
	tx.add(more...)
	return tx.commit(ctx, ts)
}

// changeOther rewrites a resource with what edit makes of its document. A document that stays equal is not written.
func (d *Directory) changeOther(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ifMatch []string, edit func(old scim.Object) (scim.Object, error)) (Resource, error) {
	ts := d.store.Tenant(t.ID)
	var r record
	err := d.Retry(ctx, func() error {
		var err error
		if r, err = d.read(ctx, ts, rt, id); err != nil {
			return err
		}
		if err := checkMatch(ifMatch, r.version); err != nil {
			return err
		}
		before, read := otherEntries(ts.Keys, r), r.version
		known := rt.Prune(r.doc)
		if r.doc, err = edit(known); err != nil || scim.Equal(known, r.doc) {
			return err
		}
		r.version++
		r.modified = d.later(r.modified)
		return d.commitOther(ctx, ts, &r, before, r.unique, equals(attrVersion, read))
	})
	if err != nil {
		return Resource{}, err
	}
	return d.resource(t, r), nil
}

func (d *Directory) deleteOther(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ifMatch []string) error {
	ts := d.store.Tenant(t.ID)
	return d.Retry(ctx, func() error {
		r, err := d.read(ctx, ts, rt, id)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, r.version); err != nil {
			return err
		}
		var tx transaction
		tx.must(when(remove(ResourceKey(ts.Keys, rt, id)), equals(attrVersion, r.version)), ErrStale)
		tx.reindex(otherEntries(ts.Keys, r), nil, store.Key{}, nil)
		tx.release(ts.Keys, r)
		tx.add(counter.Add(ts.Keys, rt.ID, id, -1))
		return tx.commit(ctx, ts)
	})
}

func (d *Directory) getOther(ctx context.Context, t Tenant, rt *schema.ResourceType, id string) (Resource, error) {
	r, err := d.read(ctx, d.store.Tenant(t.ID), rt, id)
	if err != nil {
		return Resource{}, err
	}
	return d.resource(t, r), nil
}
