package scimhttp

import (
	"context"
	"net/http"
	"strconv"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// page answers a query for resources of some types with one page of results.
func (h *handler) page(ctx context.Context, rq *request, p parameters, types []*schema.ResourceType) (answer, error) {
	q, err := p.listQuery(rq.tenant, types)
	if err != nil {
		return answer{}, err
	}
	w := pageWriter{rq: rq, selections: q.Selections, resources: map[string][]byte{}, wire: room, bytes: room}
	q.Take, q.MaxFirst = w.take, rq.largest()
	l, err := h.Directory.Search(ctx, rq.tenant, types, q)
	if err != nil {
		return answer{}, err
	}
	return w.answer(l, q.HasCursor), nil
}

// room is the space in bytes for the rest of a ListResponse around its resources.
const room = 4096

// pageWriter writes the resources of a page as they come, as many as fit an answer. The first may be as large as an
// answer can be.
type pageWriter struct {
	rq          *request
	selections  map[string]*schema.Projection
	resources   map[string][]byte // by id
	bytes, wire int
	last        int // size of the one before, which is a good guess
}

// take writes one resource; false if it does not fit any more.
func (w *pageWriter) take(res directory.Resource) bool {
	b := scim.AppendJSON(make([]byte, 0, w.last+w.last/16), res.Type.Project(res.Doc, w.selections[res.Type.ID]))
	bytes, wire := w.bytes+len(b)+1, w.wire+wireSize(b)+1
	if bytes > maxAnswer || wire > maxWire {
		if alone := (answer{body: b}); len(w.resources) > 0 || !alone.fits(w.rq) {
			return false
		}
	}
	w.bytes, w.wire = bytes, wire
	w.resources[res.ID], w.last = b, len(b)
	return true
}

// answer is the ListResponse (RFC 7644, section 3.4.2; RFC 9865, section 2). itemsPerPage says how many resources
// it holds, which may be fewer than asked for: the client continues after them.
func (w *pageWriter) answer(l directory.List, cursors bool) answer {
	body := make([]byte, 0, w.bytes)
	body = append(body, `{"schemas":["`+scim.ListResponseURN+`"]`...)
	if l.Total >= 0 {
		body = append(body, `,"totalResults":`...)
		body = strconv.AppendInt(body, int64(l.Total), 10)
	}
	if !cursors {
		body = append(body, `,"startIndex":`...)
		body = strconv.AppendInt(body, int64(l.StartIndex), 10)
	}
	body = append(body, `,"itemsPerPage":`...)
	body = strconv.AppendInt(body, int64(len(l.Resources)), 10)
	// Cursors are base64url: they stand in JSON as they are.
	if l.NextCursor != "" {
		body = append(body, `,"nextCursor":"`+l.NextCursor+`"`...)
	}
	if l.PreviousCursor != "" {
		body = append(body, `,"previousCursor":"`+l.PreviousCursor+`"`...)
	}
	body = append(body, `,"Resources":[`...)
	for i, res := range l.Resources {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, w.resources[res.ID]...)
	}
	return newAnswer(http.StatusOK, append(body, "]}"...))
}
