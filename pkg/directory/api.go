package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Create stores a new resource (RFC 7644, section 3.3). It gives 409 where a unique value is taken.
func (d *Directory) Create(ctx context.Context, t Tenant, rt *schema.ResourceType, body scim.Object, sel *schema.Projection) (Resource, error) {
	return d.create(ctx, t, rt, "", body, sel)
}

// create is Create under an id that is given; an empty one is made here.
func (d *Directory) create(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, body scim.Object, sel *schema.Projection) (Resource, error) {
	switch {
	case isGroup(rt):
		return d.createGroup(ctx, t, rt, id, body, sel)
	case isUser(rt):
		return d.createUser(ctx, t, rt, id, body)
	}
	return d.createOther(ctx, t, rt, id, body)
}

// Get reads a resource by id (RFC 7644, section 3.4.1); 404 where there is none.
func (d *Directory) Get(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection) (Resource, error) {
	switch {
	case isGroup(rt):
		return d.getGroup(ctx, t, rt, id, sel, MaxAnswerBytes)
	case isUser(rt):
		return d.getUser(ctx, t, rt, id, sel)
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
		out, err := d.changeGroup(ctx, t, rt, id, ifMatch, true, apply)
		if err != nil {
			return Resource{}, err
		}
		return d.withMembers(ctx, t, d.resource(t, out.record), sel)
	}
	doc, err := rt.Normalize(body, t.Dialect)
	if err != nil {
		return Resource{}, err
	}
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
	return d.withGroups(ctx, t, res, sel)
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
	res, err = d.change(ctx, t, rt, id, o.IfMatch, func(old scim.Object) (scim.Object, error) {
		out, err := patch.Apply(rt, old, ops, "", t.Dialect)
		return out.Doc, err
	})
	if err != nil || o.Body == NoBody {
		return res, false, err
	}
	res, err = d.withGroups(ctx, t, res, o.Selection)
	return res, err == nil, err
}

func (d *Directory) patchGroup(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ops []patch.Operation, o PatchOptions) (Resource, bool, error) {
	out, err := d.changeGroup(ctx, t, rt, id, o.IfMatch, o.Body != NoBody, patchGroup(t, rt, ops))
	if err != nil {
		return Resource{}, false, err
	}
	res := d.resource(t, out.record)
	if o.Body == NoBody {
		return res, false, nil
	}
	if !o.Selection.Wants(groupType, "members") {
		return res, true, nil
	}
	if o.Body == SmallBody {
		small, err := d.small(ctx, t, id)
		if err != nil || !small {
			return res, false, err
		}
	}
	res, err = d.withMembers(ctx, t, res, o.Selection)
	return res, err == nil && res.Doc["members"] != nil, err
}

// small reports whether a group has at most SmallGroup members stored.
func (d *Directory) small(ctx context.Context, t Tenant, id string) (bool, error) {
	ts := d.store.Tenant(t.ID)
	prefix := ts.MemberPrefix(id)
	n := 0
	for _, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: SmallGroup + 1, Select: store.KeysOnly}) {
		if err != nil {
			return false, err
		}
		if n++; n > SmallGroup {
			return false, nil
		}
	}
	return true, nil
}

// Delete removes a resource (RFC 7644, section 3.6); 404 where there is none.
func (d *Directory) Delete(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ifMatch []string) error {
	switch {
	case isGroup(rt):
		return d.deleteGroup(ctx, t, rt, id, ifMatch)
	case isUser(rt):
		return d.deleteUser(ctx, t, rt, id, ifMatch)
	}
	return d.deleteOther(ctx, t, rt, id, ifMatch)
}
