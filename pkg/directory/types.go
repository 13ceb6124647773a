package directory

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// maxChecked bounds the resources of a type that are checked against a change of its definition.
const maxChecked = 100_000

// CheckTypes decides whether a tenant's resource types may change from old to next: every stored resource has to stay
// whole and valid. A *scim.Error 409 says how many would not, and names one. If a change is such that no resource
// can suffer, nothing is read.
func (d *Directory) CheckTypes(ctx context.Context, tenantID string, old, next *schema.Types) error {
	ts := d.store.Tenant(tenantID)
	for _, rt := range old.All() {
		n := next.ByID(rt.ID)
		moved := n == nil || n.ID != rt.ID || n.Endpoint != rt.Endpoint
		if !moved && define.Admits(rt, n) {
			continue
		}
		stand, err := standing(ctx, ts, rt, n, moved)
		if err != nil {
			return err
		}
		if stand != nil {
			return stand
		}
	}
	return d.noteTypes(ctx, ts, next)
}

// standing searches for resources of type rt whose data does not fit the changed type next.
func standing(ctx context.Context, ts *store.TenantStore, rt, next *schema.ResourceType, moved bool) (
	stand, err error,
) {
	var seen, against int
	var example, why string
	for it, err := range ts.All(ctx, store.Query{PK: row.Key(ts.Keys, rt, "").PK}) {
		if err != nil {
			return nil, err
		}
		if seen++; seen > maxChecked {
			return scim.Errorf(409, scim.NoType,
				"There are more than %d resources of type %s, too many to check whether the change conflicts with "+
					"them. A change that adds optional attributes or removes a restriction needs no check.", maxChecked,
				rt.ID), nil
		}
		reason := "The change removes the resource type, or changes its id or endpoint."
		if !moved {
			r, err := row.Decode(rt, it)
			if err != nil {
				return nil, err
			}
			orphans := define.Orphans(rt, next, r.Doc)
			if orphans == nil {
				continue
			}
			reason = orphans.Error()
			if e := (*scim.Error)(nil); errors.As(orphans, &e) {
				reason = e.Detail
			}
		}
		if against++; against == 1 {
			example, why = it.SK, reason
		}
	}
	if against == 0 {
		return nil, nil
	}
	return scim.Errorf(409, scim.NoType,
		"The change conflicts with %d stored resources of type %s, one of them with the id %s: %s "+
			"Change or delete them first.",
		against, rt.ID, example, why), nil
}

// noteTypes notes which types have partitions of their own, before there is anything in these, so that Erase finds
// them.
func (d *Directory) noteTypes(ctx context.Context, ts *store.TenantStore, types *schema.Types) error {
	var ops []store.Op
	for _, rt := range types.All() {
		if !row.IsUser(rt) && !row.IsGroup(rt) {
			ops = append(ops, store.PutItem(ts.OtherType(rt.ID), nil))
		}
	}
	return ts.Batch(ctx, ops...)
}

// partitions lists the partitions to empty when a tenant is deleted. Those that name other partitions are last.
func partitions(ctx context.Context, ts *store.TenantStore) ([]string, error) {
	var pks []string
	for it, err := range ts.All(ctx, store.Query{PK: ts.OtherType("").PK, Select: store.KeysOnly}) {
		if err != nil {
			return nil, err
		}
		pks = append(pks, ts.Other(it.SK, "").PK)
	}
	names := ts.LogPartitionNames()
	for it, err := range ts.All(ctx, store.Query{PK: names, Select: store.KeysOnly}) {
		if err != nil {
			return nil, err
		}
		pks = append(pks, ts.LogPartitionOf(it.SK))
	}
	return append(append(pks, ts.Partitions()...), names), nil
}
