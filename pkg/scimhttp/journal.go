package scimhttp

import (
	"context"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/directory/bulk"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// facts returns the facts about a request for the provisioning log.
func (rq *request) facts() provlog.Facts {
	endpoint, _, _ := strings.Cut(rq.target.key, "/")
	path := rq.target.key
	if rq.route != nil {
		path = strings.Replace(rq.route.pattern, "{id}", rq.target.id, 1)
	}
	f := provlog.Facts{
		Tenant: rq.account, TokenID: rq.token.ID, RequestID: rq.ID, HTTP: rq.Request.Request, Path: path,
		Endpoint: endpoint, Method: rq.Method, Reads: rq.reads() || rq.route != nil && rq.route.reads, ID: rq.target.id,
		Body: func() scim.Object { return rq.parsed }, Started: rq.started,
	}
	if rq.route != nil {
		f.Type = rq.route.rt
	}
	return f
}

// takeDown records the result of a request in the provisioning log. err is the error that was answered.
func (h *handler) takeDown(ctx context.Context, rq *request, status int, err error) {
	switch {
	case h.Journal == nil:
	case rq.entry != nil:
		rq.entry.Finish(ctx, status, rq.failed)
	case err != nil && rq.target.tenant != "":
		h.Journal.Turned(ctx, rq.target.tenant, rq.facts(), err)
	}
}

// beginBulk records the operations of a bulk request, and returns the context for each.
func (h *handler) beginBulk(rq *request, ops []bulk.Operation) (
	[]*provlog.Request, func(context.Context, int) context.Context,
) {
	if h.Journal == nil {
		return nil, nil
	}
	entries := make([]*provlog.Request, len(ops))
	for i, op := range ops {
		f := rq.facts()
		f.Method, f.Type, f.ID, f.Number, f.Reads = op.Method, op.Type, op.ID, i+1, false
		f.Path = ""
		if op.Type != nil {
			f.Path = op.Type.Endpoint
			if op.ID != "" {
				f.Path += "/" + op.ID
			}
		}
		f.Body = func() scim.Object {
			body, err := scim.ParseObject(op.Data)
			if err != nil {
				return nil
			}
			return body
		}
		entries[i] = h.Journal.Begin(f)
	}
	return entries, func(ctx context.Context, i int) context.Context {
		return directory.WithOrigin(ctx, rq.origin(entries[i]))
	}
}

// endBulk records the results of the operations of a bulk request.
func (h *handler) endBulk(ctx context.Context, rq *request, entries []*provlog.Request, results []bulk.Result) {
	ends := make([]provlog.End, 0, len(entries))
	for i, entry := range entries {
		r := results[i]
		switch {
		case r.Err != nil:
			e := h.scimError(ctx, rq, r.Err)
			ends = append(ends, provlog.End{Request: entry, Status: e.Status, Failed: e})
		case r.Status != 0: // else it was not carried out
			ends = append(ends, provlog.End{Request: entry, Status: r.Status})
		}
	}
	h.Journal.FinishAll(ctx, ends)
}
