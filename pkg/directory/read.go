package directory

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// MaxAnswerBytes bounds the JSON of one answer, so that it fits a Lambda response of 6 MB after escaping.
const MaxAnswerBytes = 4_500_000

// beside runs read and the look at the open work in parallel, and runs read again, behind that look, where it has to: see linger.
func (d *Directory) beside(ctx context.Context, ts *store.TenantStore, read func(context.Context, overlay) error) error {
	began := d.o.Now()
	var o overlay
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		o, err = d.overlay(gctx, ts)
		return err
	})
	g.Go(func() error { return read(gctx, overlay{}) })
	if err := g.Wait(); err != nil {
		return err
	}
	if o.empty() && d.o.Now().Sub(began) < linger/2 {
		return nil
	}
	return read(ctx, o)
}

// groupsOf returns the ids of the groups that a user is a direct member of, in order.
func (d *Directory) groupsOf(ctx context.Context, ts *store.TenantStore, id string) (groups []string, err error) {
	err = d.beside(ctx, ts, func(ctx context.Context, o overlay) (err error) {
		groups, err = o.groupsOf(ctx, ts, id)
		return err
	})
	return groups, err
}

// groupsOf returns the same under an overlay that was read before.
func (o overlay) groupsOf(ctx context.Context, ts *store.TenantStore, id string) ([]string, error) {
	changed, err := o.changeFor(ctx, ts, id)
	if err != nil {
		return nil, err
	}
	groups, err := storedGroupsOf(ctx, ts, id)
	if err != nil || len(changed) == 0 {
		return groups, err
	}
	groups = slices.DeleteFunc(groups, func(g string) bool {
		add, open := changed[g]
		return open && !add
	})
	for group, add := range changed {
		if add && !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	slices.Sort(groups)
	return groups, nil
}

func storedGroupsOf(ctx context.Context, ts *store.TenantStore, id string) ([]string, error) {
	var groups []string
	prefix := ts.MemberOfPrefix(id)
	for it, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if err != nil {
			return nil, err
		}
		groups = append(groups, lastPart(it.SK))
	}
	return groups, nil
}

// groupReferences reads groups and returns them as a user's `groups` show them, by id; deleted ones are missing.
func (d *Directory) groupReferences(ctx context.Context, t Tenant, ts *store.TenantStore, ids []string) (map[string]scim.Object, error) {
	byID := map[string]scim.Object{}
	if len(ids) == 0 {
		return byID, nil
	}
	keys := make([]store.Key, len(ids))
	for i, id := range ids {
		keys[i] = ts.Group(id)
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		if it.Attrs == nil {
			continue
		}
		r, err := decodeRecord(groupType, it)
		if err != nil {
			return nil, err
		}
		byID[r.id] = scim.Object{
			"value": r.id, "$ref": location(t, groupType, r.id), "display": displayOf(r.doc), "type": "direct",
		}
	}
	return byID, nil
}

// setGroups puts a user's groups into its answer; a user without groups has no such attribute.
func setGroups(doc scim.Object, ids []string, byID map[string]scim.Object) {
	var list []any
	for _, id := range ids {
		if ref, exists := byID[id]; exists {
			list = append(list, ref)
		}
	}
	if len(list) > 0 {
		doc["groups"] = list
	}
}

// getGroup reads a group, and its members where the projection wants them, in one round.
func (d *Directory) getGroup(ctx context.Context, t Tenant, id string, sel *schema.Projection, limit int) (Resource, error) {
	ts := d.store.Tenant(t.ID)
	if !sel.Wants(groupType, "members") || !validID(id) {
		r, err := d.read(ctx, ts, groupType, id)
		if err != nil {
			return Resource{}, err
		}
		return d.resource(t, r), nil
	}
	var r record
	var members []any
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		r, err = d.read(gctx, ts, groupType, id)
		return err
	})
	var tooLarge bool
	g.Go(func() (err error) {
		members, err = d.membersOf(gctx, t, ts, id, limit)
		if tooLarge = errors.Is(err, errTooLarge); tooLarge {
			return nil
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return Resource{}, err
	}
	if tooLarge {
		return Resource{}, membersDoNotFit(displayOf(r.doc))
	}
	res := d.resource(t, r)
	res.Doc["members"] = members
	return res, nil
}

// membersOf returns the members of a group as an answer shows them, or errTooLarge.
func (d *Directory) membersOf(ctx context.Context, t Tenant, ts *store.TenantStore, id string, limit int) (members []any, err error) {
	tooLarge := false
	err = d.beside(ctx, ts, func(ctx context.Context, o overlay) (err error) {
		reader := memberReader{t: t, ts: ts, limit: limit}
		members, err = reader.read(ctx, o, id)
		if tooLarge = errors.Is(err, errTooLarge); tooLarge {
			return nil
		}
		return err
	})
	if err == nil && tooLarge {
		err = errTooLarge
	}
	return members, err
}

// withMembers adds the members to an answer about a group, where the projection wants them.
func (d *Directory) withMembers(ctx context.Context, t Tenant, res Resource, sel *schema.Projection) (Resource, error) {
	if !sel.Wants(groupType, "members") {
		return res, nil
	}
	members, err := d.membersOf(ctx, t, d.store.Tenant(t.ID), res.ID, MaxAnswerBytes)
	if errors.Is(err, errTooLarge) {
		// The write is done: it is never answered by an error because its answer would be large.
		return res, nil
	}
	res.Doc["members"] = members
	return res, err
}

func cloneTop(doc scim.Object) scim.Object {
	c := make(scim.Object, len(doc)+2)
	for k, v := range doc {
		c[k] = v
	}
	return c
}
