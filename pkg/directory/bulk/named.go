package bulk

import (
	"net/http"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/bulkid"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// The client does not know the id of a resource that it names by a bulkId unless the POST is answered with it. So no
// other answer may contain it.

// named is the result of an operation, if its resource, which the request names by its bulkId, is not there: another
// run of the same request has deleted it, or an earlier operation of this one.
func (b *request) named(i int, r Result) Result {
	op := b.ops[i]
	name, ok := strings.CutPrefix(op.ID, bulkid.Prefix)
	switch {
	case !ok || op.Invalid != nil || !isNotFound(r.Err):
		return r
	case b.deleted(i):
		r.Err = scim.Errorf(http.StatusNotFound, scim.NoType,
			"The resource with the bulkId %s does not exist any more: an earlier operation of this request deleted it.",
			scim.Quote(name))
	case op.Method == http.MethodDelete:
		return Result{Status: http.StatusNoContent, ID: r.ID}
	default:
		r.Err = takenBack()
	}
	return r
}

// deleted reports whether an earlier operation has deleted the resource of an operation. Operations on one resource
// come one after the other, except for invalid ones.
func (b *request) deleted(i int) bool {
	for k, op := range b.ops[:i] {
		if op.Method == http.MethodDelete && op.Invalid == nil && op.ID == b.ops[i].ID && op.Type == b.ops[i].Type &&
			b.results[k].Err == nil {
			return true
		}
	}
	return false
}

// hideIDs takes the ids of resources that were not created from the results of operations that name them by a bulkId.
func (b *request) hideIDs() {
	for i, op := range b.ops {
		if name, ok := strings.CutPrefix(op.ID, bulkid.Prefix); ok && b.results[i].Err != nil {
			if k, known := b.creates[name]; !known || b.results[k].Err != nil {
				b.results[i].ID = ""
			}
		}
	}
}
