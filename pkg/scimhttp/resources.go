package scimhttp

import (
	"context"
	"maps"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// selection is the projection that the request's query asks for.
func (rq *request) selection() (*schema.Projection, error) {
	p, err := parseQuery(rq.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	return p.selection(rq.route.rt)
}

// sent is the body of a request that writes, and the projection that its query asks for.
func (h *handler) sent(rq *request) (scim.Object, *schema.Projection, error) {
	sel, err := rq.selection()
	if err != nil {
		return nil, nil, err
	}
	body, err := h.body(rq)
	return body, sel, err
}

// list answers GET on a resource type's endpoint, and on the root for all types (RFC 7644, section 3.4.2).
func (h *handler) list(ctx context.Context, rq *request) (answer, error) {
	p, err := parseQuery(rq.URL.RawQuery)
	if err != nil {
		return answer{}, err
	}
	return h.page(ctx, rq, p, rq.types())
}

// get answers GET on a resource (RFC 7644, section 3.4.1).
func (h *handler) get(ctx context.Context, rq *request) (answer, error) {
	sel, err := rq.selection()
	if err != nil {
		return answer{}, err
	}
	res, err := h.Directory.GetUpTo(ctx, rq.tenant, rq.route.rt, rq.target.id, sel, rq.largest())
	if err != nil {
		return answer{}, err
	}
	if match := rq.Header.Values("If-Match"); len(match) > 0 && !noneMatch(match, res.ETag()) {
		return answer{}, preconditionFailed(res, false)
	}
	if noneMatch(rq.Header.Values("If-None-Match"), res.ETag()) {
		return rq.withoutBody(http.StatusNotModified, res), nil
	}
	a := rq.resourceAnswer(http.StatusOK, res, sel)
	if !a.fits(rq) {
		return answer{}, scim.BadRequest(scim.TooMany, "The resource is too large for one response. %s",
			directory.LessMembers)
	}
	return a, nil
}

// create answers POST (RFC 7644, section 3.3).
func (h *handler) create(ctx context.Context, rq *request) (answer, error) {
	body, sel, err := h.sent(rq)
	if err != nil {
		return answer{}, err
	}
	how, err := rq.reply(sel, maps.All(body))
	if err != nil {
		return answer{}, err
	}
	res, err := h.Directory.Create(ctx, rq.tenant, rq.route.rt, body, how.sel)
	if err != nil {
		return answer{}, err
	}
	return rq.written(http.StatusCreated, res, how), nil
}

// replace answers PUT (RFC 7644, section 3.5.1).
func (h *handler) replace(ctx context.Context, rq *request) (answer, error) {
	body, sel, err := h.sent(rq)
	if err != nil {
		return answer{}, err
	}
	how, err := rq.reply(sel, maps.All(body))
	if err != nil {
		return answer{}, err
	}
	var res directory.Resource
	err = h.conditional(ctx, rq, func(ifMatch []string) (err error) {
		res, err = h.Directory.Replace(ctx, rq.tenant, rq.route.rt, rq.target.id, body,
			directory.PatchOptions{IfMatch: ifMatch, Selection: how.sel})
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return rq.written(http.StatusOK, res, how), nil
}

// patch answers PATCH (RFC 7644, section 3.5.2): with the resource, or with 204 and nothing.
func (h *handler) patch(ctx context.Context, rq *request) (answer, error) {
	body, sel, err := h.sent(rq)
	if err != nil {
		return answer{}, err
	}
	ops, err := patch.Parse(body, rq.tenant.Dialect)
	if err != nil {
		return answer{}, err
	}
	how, err := rq.reply(sel, patch.Named(ops))
	if err != nil {
		return answer{}, err
	}
	o := directory.PatchOptions{
		Body: rq.patchBody(how), MaxMembers: rq.tenant.Dialect.GroupPatchBody, Selection: how.sel,
	}
	var res directory.Resource
	err = h.conditional(ctx, rq, func(ifMatch []string) (err error) {
		o.IfMatch = ifMatch
		var hasBody bool
		res, hasBody, err = h.Directory.Patch(ctx, rq.tenant, rq.route.rt, rq.target.id, ops, o)
		how.body = hasBody
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return rq.written(http.StatusOK, res, how), nil
}

// patchBody returns the kind of body in the answer to a PATCH. A group's members are read for the answer only if
// the client or the tenant's setting asks for them, or if the dialect does and they are few: the cost of a change must
// not depend on the size of the group.
func (rq *request) patchBody(how reply) directory.Body {
	switch {
	case !how.body:
		return directory.NoBody
	case how.selected || how.applied == representation || rq.account.PatchBody() == tenant.PatchBodyFull:
		return directory.FullBody
	case rq.account.PatchBody() == tenant.PatchBodyNone:
		return directory.NoBody
	case rq.route.rt.ID != schema.GroupType().ID:
		return directory.FullBody
	case rq.tenant.Dialect.GroupPatchBody > 0:
		return directory.SmallBody
	}
	return directory.NoBody
}

// remove answers DELETE (RFC 7644, section 3.6).
func (h *handler) remove(ctx context.Context, rq *request) (answer, error) {
	err := h.conditional(ctx, rq, func(ifMatch []string) error {
		return h.Directory.Delete(ctx, rq.tenant, rq.route.rt, rq.target.id, ifMatch)
	})
	if err != nil {
		return answer{}, err
	}
	return newAnswer(http.StatusNoContent, nil), nil
}

// written is the answer to a committed change. It must not become an error because it is too large; then the one
// attribute without a bound is left out.
func (rq *request) written(status int, res directory.Resource, how reply) answer {
	rq.entry.About(res.Doc)
	if !how.body {
		if status == http.StatusOK {
			status = http.StatusNoContent
		}
		a := rq.withoutBody(status, res)
		if how.applied == minimal {
			a.header.Set("Preference-Applied", minimal)
		}
		return a
	}
	a := rq.resourceAnswer(status, res, how.sel)
	if !a.fits(rq) {
		delete(res.Doc, "members")
		a = rq.resourceAnswer(status, res, how.sel)
	}
	if how.applied == representation {
		a.header.Set("Preference-Applied", representation)
	}
	return a
}
