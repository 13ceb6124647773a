package directory

import (
	"context"
	"errors"
	"maps"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Create stores a new resource (RFC 7644, section 3.3). It gives 409 if a unique value is taken.
func (d *Directory) Create(ctx context.Context, t Tenant, rt *schema.ResourceType, body scim.Object,
	sel *schema.Projection,
) (Resource, error) {
	return d.CreateAs(ctx, t, rt, "", body, sel)
}

// CreateAs is Create under an id that was decided before, so that the creation can be repeated: ErrCreated says that
// the resource is there already. An empty id is made here; a membership is not given one.
func (d *Directory) CreateAs(
	ctx context.Context, t Tenant, rt *schema.ResourceType, id string, body scim.Object, sel *schema.Projection,
) (Resource, error) {
	if row.IsMembership(rt) {
		return d.createMembership(ctx, t, rt, body, sel)
	}
	edit, err := d.replace(t, rt, body)
	if err != nil {
		return Resource{}, err
	}
	dr, err := d.create(ctx, t, rt, id, edit)
	if err != nil {
		return Resource{}, err
	}
	if row.IsGroup(rt) {
		return dr.created(sel), nil
	}
	res := dr.after.Resource(t)
	if dr.refs.Joins() {
		groups := d.groupsAhead(ctx, t, rt, res.ID, sel)
		defer groups.stop()
		// the user is created: if its groups can't be read now, the answer is without them
		_ = groups.attach(ctx, res, true)
	}
	return res, nil
}

// replace is the edit of a POST or PUT. Its error is about the request itself.
func (d *Directory) replace(t Tenant, rt *schema.ResourceType, body scim.Object) (editor, error) {
	if row.IsGroup(rt) {
		return replaceGroup(t, rt, body)
	}
	doc, err := rt.Normalize(body, t.Dialect)
	return func(dr *draft) error {
		if dr.before == nil {
			dr.after.Doc = doc
			return nil
		}
		next := row.CloneTop(doc)
		dr.after.Doc = next
		old := dr.known()
		if _, given := next["active"]; !given && old["active"] != nil && row.IsUser(rt) {
			next["active"] = old["active"]
		}
		return rt.Keep(old, next)
	}, err
}

// Get reads a resource by id (RFC 7644, section 3.4.1); 404 if there is none. It gives 400 tooMany if it has more
// members than MaxOneBytes hold.
func (d *Directory) Get(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection) (
	Resource, error,
) {
	return d.GetUpTo(ctx, t, rt, id, sel, MaxOneBytes)
}

// GetUpTo is Get with another limit, in bytes of JSON.
func (d *Directory) GetUpTo(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection,
	most int,
) (Resource, error) {
	switch {
	case row.IsGroup(rt):
		return d.getGroup(ctx, t, rt, id, sel, answerLimit{bytes: most})
	case row.IsUser(rt):
		return d.getUser(ctx, t, rt, id, sel)
	case row.IsMembership(rt):
		return d.getMembership(ctx, t, rt, id, sel)
	}
	r, err := row.Read(ctx, d.store.Tenant(t.ID), rt, id)
	if err != nil {
		return Resource{}, err
	}
	return r.Resource(t), nil
}

// Replace puts body in the place of a resource (RFC 7644, section 3.5.1). It gives 404, 409 and, for ifMatch, 412.
// A body equal to the stored resource changes nothing.
func (d *Directory) Replace(
	ctx context.Context, t Tenant, rt *schema.ResourceType, id string, body scim.Object, o PatchOptions,
) (Resource, error) {
	edit, err := d.replace(t, rt, body)
	if err != nil {
		return Resource{}, err
	}
	groups := d.groupsAhead(ctx, t, rt, id, o.Selection)
	defer groups.stop()
	r := request{t: t, rt: rt, id: id, act: ActionUpdate, ifMatch: o.IfMatch, secret: rt.Hides(maps.All(body))}
	dr, err := d.pipeline(ctx, r, edit)
	if err != nil {
		return Resource{}, err
	}
	if row.IsGroup(rt) {
		return d.written(ctx, t, *dr.after, o.Selection)
	}
	res := dr.after.Resource(t)
	return res, groups.attach(ctx, res, dr.refs.Joins())
}

// Patch applies operations to a resource (RFC 7644, section 3.5.2), all or none. hasBody says whether res is the whole
// resource; without it, only res.ID is sure.
func (d *Directory) Patch(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ops []patch.Operation,
	o PatchOptions,
) (res Resource, hasBody bool, err error) {
	if row.IsGroup(rt) {
		return d.patchGroup(ctx, t, rt, id, ops, o)
	}
	var groups *groupsAhead
	if o.Body != NoBody {
		groups = d.groupsAhead(ctx, t, rt, id, o.Selection)
		defer groups.stop()
	}
	r := request{
		t: t, rt: rt, id: id, act: ActionUpdate, ifMatch: o.IfMatch, secret: rt.Hides(patch.Named(ops)),
	}
	dr, err := d.pipeline(ctx, r, func(dr *draft) error {
		out, err := patch.Apply(rt, dr.known(), ops, "", t.Dialect)
		dr.after.Doc = out.Doc
		return err
	})
	if err != nil {
		return Resource{}, false, err
	}
	res = dr.after.Resource(t)
	if o.Body == NoBody {
		return res, false, nil
	}
	err = groups.attach(ctx, res, dr.refs.Joins())
	return res, err == nil, err
}

func (d *Directory) patchGroup(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ops []patch.Operation,
	o PatchOptions,
) (Resource, bool, error) {
	r := request{
		t: t, rt: rt, id: id, act: ActionUpdate, ifMatch: o.IfMatch, named: namedMembers(t, rt, ops),
		secret: rt.Hides(patch.Named(ops)),
	}
	dr, err := d.pipeline(ctx, r, patchGroup(ops))
	if err != nil {
		return Resource{}, false, err
	}
	res := dr.after.Resource(t)
	switch {
	case o.Body == NoBody:
		return res, false, nil
	case dr.exact && !o.Selection.Wants(rt, "members"):
		return res, true, nil
	case o.Body == SmallBody && dr.after.Members > int64(o.MaxMembers):
		return res, false, nil // without reading any
	}
	limit := answerLimit{bytes: MaxOneBytes}
	if o.Body == SmallBody {
		limit.members = o.MaxMembers
	}
	// The group is read again: changes that others made at the same time are part of the answer.
	whole, err := d.getGroup(ctx, t, rt, id, o.Selection, limit)
	var refused *scim.Error
	if errors.As(err, &refused) { // too large, or deleted: the change is done all the same
		return res, false, nil
	}
	return whole, err == nil, err
}

// Delete removes a resource (RFC 7644, section 3.6); 404 if there is none.
func (d *Directory) Delete(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ifMatch []string) error {
	if row.IsMembership(rt) {
		return d.deleteMembership(ctx, t, rt, id, ifMatch)
	}
	_, err := d.pipeline(ctx, request{t: t, rt: rt, id: id, act: ActionDelete, ifMatch: ifMatch}, nil)
	return err
}
