package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

const (
	// MaxAnswerBytes bounds the JSON of a page, so that it fits a Lambda response of 6 MB after escaping.
	MaxAnswerBytes = 4_500_000
	// MaxOneBytes bounds the JSON of one resource that is read.
	MaxOneBytes = 6 << 20
)

// beside runs read and the look at the open work in parallel, and runs read again, behind that look, where it has to:
// see linger. Of a large change that is committed just then, read may see a part: it is for what a change touches in
// one place only.
func (d *Directory) beside(ctx context.Context, ts *store.TenantStore,
	read func(context.Context, overlay) error,
) error {
	return d.besideUnless(ctx, ts, overlay.empty, read)
}

func (d *Directory) besideUnless(ctx context.Context, ts *store.TenantStore, fine func(overlay) bool,
	read func(context.Context, overlay) error,
) error {
	began := d.o.Now()
	var o overlay
	g, gctx := task.WithContext(ctx)
	g.Go(func() (err error) {
		o, err = d.overlay(gctx, ts)
		return err
	})
	g.Go(func() error { return read(gctx, overlay{}) })
	if err := g.Wait(); err != nil {
		return err
	}
	if fine(o) && d.o.Now().Sub(began) < linger/2 {
		return nil
	}
	return read(ctx, o)
}

// behind runs read, then looks at the open work, and runs read again under it where a large change of a group's
// members, of any group for "", was there that read knew nothing of and may have seen in part. It returns what it saw
// last.
func (d *Directory) behind(ctx context.Context, ts *store.TenantStore, groupID string,
	read func(context.Context, overlay) error,
) (overlay, error) {
	const tries = 5 // what changes more often than that is shown as it was found
	var known overlay
	// a read took so long that completed work may have been gone before it ended: once more may help, again would not
	slow := false
	for n := 1; ; n++ {
		began := d.o.Now()
		if err := read(ctx, known); err != nil {
			return known, err
		}
		o, err := d.overlay(ctx, ts)
		late := d.o.Now().Sub(began) >= linger/2
		if err != nil || n == tries || known.knew(o, groupID) && (!late || slow) {
			return o, err
		}
		slow = late
		known = o
	}
}

// behindAll is behind for a read that leaves out what was deleted, and so has to know of that as well.
func (d *Directory) behindAll(ctx context.Context, ts *store.TenantStore, groupID string,
	read func(context.Context, overlay) error,
) (overlay, error) {
	o, err := d.behind(ctx, ts, groupID, read)
	if err != nil || len(o.gone) == 0 {
		return o, err
	}
	return o, read(ctx, o)
}

// groupsOf returns the ids of the groups that a user is a direct member of, in order. What was deleted is no concern
// here: groups that are gone are not shown.
func (d *Directory) groupsOf(ctx context.Context, ts *store.TenantStore, id string) (groups []string, err error) {
	err = d.besideUnless(ctx, ts, overlay.quiet, func(ctx context.Context, o overlay) (err error) {
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
		c, open := changed[g]
		return open && !c.add
	})
	for group, c := range changed {
		if c.add && !slices.Contains(groups, group) {
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
func (d *Directory) groupReferences(ctx context.Context, t Tenant, ts *store.TenantStore, ids []string) (
	map[string]scim.Object, error,
) {
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
		r, err := decodeRecord(schema.GroupType(), it)
		if err != nil {
			return nil, err
		}
		byID[r.id] = scim.Object{
			"value": r.id, "$ref": location(t, schema.GroupType(), r.id), "display": displayOf(r.doc), "type": "direct",
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

// answerLimit bounds the members of an answer: their bytes as JSON, and their number unless it is 0.
type answerLimit struct{ bytes, members int }

// getGroup reads a group, and its members where the projection wants them. It reads the group first: so the members are
// never older than the version, and a change that is conditional on it loses none.
func (d *Directory) getGroup(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection,
	limit answerLimit,
) (Resource, error) {
	r, err := d.read(ctx, d.store.Tenant(t.ID), rt, id)
	if err != nil {
		return Resource{}, err
	}
	res := d.resource(t, r)
	if err = d.addMembers(ctx, t, res, sel, limit); errors.Is(err, errTooLarge) {
		return Resource{}, membersDoNotFit(displayOf(r.doc))
	}
	return res, err
}

// addMembers adds the members to an answer about a group, where the projection wants them; errTooLarge where they do
// not fit.
func (d *Directory) addMembers(ctx context.Context, t Tenant, res Resource, sel *schema.Projection,
	limit answerLimit,
) error {
	if !sel.Wants(schema.GroupType(), "members") {
		return nil
	}
	ts := d.store.Tenant(t.ID)
	look := lookOf(t, res.Type, sel)
	var members []member
	tooLarge := false
	o, err := d.behind(ctx, ts, res.ID, func(ctx context.Context, o overlay) (err error) {
		reader := memberReader{ts: ts, look: look, limit: limit.bytes, most: limit.members}
		members, err = reader.read(ctx, o, res.ID)
		if tooLarge = errors.Is(err, errTooLarge); tooLarge {
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case tooLarge:
		return errTooLarge
	}
	setMembers(res.Doc, look.encode(o.withoutGone(members)))
	return nil
}

// setMembers puts members into an answer, unless nothing of them is shown.
func setMembers(doc scim.Object, members any) {
	if members != nil {
		doc["members"] = members
	}
}

// withMembers is addMembers for the answer to a write. The write is done: its answer is never an error because it would
// be large.
func (d *Directory) withMembers(ctx context.Context, t Tenant, res Resource, sel *schema.Projection) (Resource, error) {
	err := d.addMembers(ctx, t, res, sel, answerLimit{bytes: MaxOneBytes})
	if errors.Is(err, errTooLarge) {
		err = nil
	}
	return res, err
}

func cloneTop(doc scim.Object) scim.Object {
	c := make(scim.Object, len(doc)+2)
	for k, v := range doc {
		c[k] = v
	}
	return c
}
