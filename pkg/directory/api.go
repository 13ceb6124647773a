package directory

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Create stores a new resource (RFC 7644, section 3.3). It gives 409 where a unique value is taken.
func (d *Directory) Create(ctx context.Context, t Tenant, rt *schema.ResourceType, body scim.Object, sel *schema.Projection) (Resource, error) {
	return d.CreateAs(ctx, t, rt, "", body, sel)
}

// CreateAs is Create under an id that was decided before, so that the creation can be repeated: ErrCreated says that the resource is there
// already. An empty id is made here; a membership is not given one.
func (d *Directory) CreateAs(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, body scim.Object, sel *schema.Projection) (Resource, error) {
	switch {
	case isGroup(rt):
		return d.createGroup(ctx, t, rt, id, body, sel)
	case isUser(rt):
		res, err := d.createUser(ctx, t, rt, id, body)
		if err == nil && res.joined {
			groups := d.groupsAhead(ctx, t, rt, res.ID, sel)
			defer groups.stop()
			res.joined = false          // since what is read from here on
			_ = groups.attach(ctx, res) // the user is made: where its groups can't be read now, the answer is without them
		}
		return res, err
	case isMembership(rt):
		return d.createMembership(ctx, t, rt, body, sel)
	}
	return d.createOther(ctx, t, rt, id, body)
}

// Get reads a resource by id (RFC 7644, section 3.4.1); 404 where there is none. It gives 400 tooMany where it has more members than
// MaxOneBytes hold.
func (d *Directory) Get(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection) (Resource, error) {
	return d.GetUpTo(ctx, t, rt, id, sel, MaxOneBytes)
}

// GetUpTo is Get with another limit, in bytes of JSON.
func (d *Directory) GetUpTo(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection, most int) (Resource, error) {
	switch {
	case isGroup(rt):
		return d.getGroup(ctx, t, rt, id, sel, answerLimit{bytes: most})
	case isUser(rt):
		return d.getUser(ctx, t, rt, id, sel)
	case isMembership(rt):
		return d.getMembership(ctx, t, rt, id, sel)
	}
	return d.getOther(ctx, t, rt, id)
}

// Replace puts body in the place of a resource (RFC 7644, section 3.5.1). It gives 404, 409 and, for ifMatch, 412. A body that
// says what is there already changes nothing.
func (d *Directory) Replace(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, body scim.Object, ifMatch []string, sel *schema.Projection) (Resource, error) {
	if isGroup(rt) {
		apply, err := replaceGroup(t, rt, body)
		if err != nil {
			return Resource{}, err
		}
		out, err := d.changeGroup(ctx, t, rt, id, ifMatch, nil, apply)
		if err != nil {
			return Resource{}, err
		}
		return d.withMembers(ctx, t, d.resource(t, out.record), sel)
	}
	doc, err := rt.Normalize(body, t.Dialect)
	if err != nil {
		return Resource{}, err
	}
	groups := d.groupsAhead(ctx, t, rt, id, sel)
	defer groups.stop()
	res, err := d.change(ctx, t, rt, id, ifMatch, func(old scim.Object) (scim.Object, error) {
		next := cloneTop(doc)
		if _, given := next["active"]; !given && old["active"] != nil && isUser(rt) {
			next["active"] = old["active"]
		}
		return next, rt.Keep(old, next)
	})
	if err != nil {
		return Resource{}, err
	}
	return res, groups.attach(ctx, res)
}

// change rewrites a resource that is no group.
func (d *Directory) change(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ifMatch []string, edit func(old scim.Object) (scim.Object, error)) (Resource, error) {
	if isUser(rt) {
		return d.changeUser(ctx, t, rt, id, ifMatch, edit)
	}
	return d.changeOther(ctx, t, rt, id, ifMatch, edit)
}

// Patch applies operations to a resource (RFC 7644, section 3.5.2), all or none. hasBody says whether res is the whole resource;
// without it, only res.ID is sure.
func (d *Directory) Patch(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ops []patch.Operation, o PatchOptions) (res Resource, hasBody bool, err error) {
	if isGroup(rt) {
		return d.patchGroup(ctx, t, rt, id, ops, o)
	}
	var groups *groupsAhead
	if o.Body != NoBody {
		groups = d.groupsAhead(ctx, t, rt, id, o.Selection)
		defer groups.stop()
	}
	res, err = d.change(ctx, t, rt, id, o.IfMatch, func(old scim.Object) (scim.Object, error) {
		out, err := patch.Apply(rt, old, ops, "", t.Dialect)
		return out.Doc, err
	})
	if err != nil || o.Body == NoBody {
		return res, false, err
	}
	err = groups.attach(ctx, res)
	return res, err == nil, err
}

func (d *Directory) patchGroup(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ops []patch.Operation, o PatchOptions) (Resource, bool, error) {
	out, err := d.changeGroup(ctx, t, rt, id, o.IfMatch, namedMembers(t, rt, ops), patchGroup(t, rt, ops))
	if err != nil {
		return Resource{}, false, err
	}
	res := d.resource(t, out.record)
	switch {
	case o.Body == NoBody:
		return res, false, nil
	case out.version && !o.Selection.Wants(rt, "members"):
		return res, true, nil
	case o.Body == SmallBody && out.record.counted && out.record.members > int64(o.MaxMembers):
		return res, false, nil // without reading any
	}
	limit := answerLimit{bytes: MaxOneBytes}
	if o.Body == SmallBody {
		limit.members = o.MaxMembers
	}
	// The group is read again: what others did at the same time is part of the answer.
	whole, err := d.getGroup(ctx, t, rt, id, o.Selection, limit)
	var refused *scim.Error
	if errors.As(err, &refused) { // too large, or deleted: the change is done all the same
		return res, false, nil
	}
	return whole, err == nil, err
}

// Delete removes a resource (RFC 7644, section 3.6); 404 where there is none.
func (d *Directory) Delete(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ifMatch []string) error {
	switch {
	case isGroup(rt):
		return d.deleteGroup(ctx, t, rt, id, ifMatch)
	case isUser(rt):
		return d.deleteUser(ctx, t, rt, id, ifMatch)
	case isMembership(rt):
		return d.deleteMembership(ctx, t, rt, id, ifMatch)
	}
	return d.deleteOther(ctx, t, rt, id, ifMatch)
}
