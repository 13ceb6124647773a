package bulk

import (
	"net/http"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/bulkid"
	"github.com/serverless-scim/serverless-scim/pkg/directory/membershipid"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// In a bulk request, a membership is an operation on its group, and keeps its place among those. Nothing is stored
// for it, so nothing is remembered: a repetition of the request carries it out again, and gets a 409 if the
// membership is there.

func isMembership(rt *schema.ResourceType) bool { return rt.ID == schema.MembershipType().ID }

// stores reports whether an operation is a POST whose resource has an item of its own.
func (b *request) stores(i int) bool {
	op := b.ops[i]
	return op.Invalid == nil && op.Method == http.MethodPost && !isMembership(op.Type)
}

// groupOf is the id of the group whose members an operation on a membership changes; "" for any other operation, and
// if there is none.
func (b *request) groupOf(i int) string {
	op := b.ops[i]
	if op.Invalid != nil || !isMembership(op.Type) {
		return ""
	}
	if op.Method == http.MethodPost {
		value := b.facts[i].group
		if bulkID, ok := strings.CutPrefix(value, bulkid.Prefix); ok {
			return b.idOf(bulkID)
		}
		return value
	}
	ids, err := membershipid.New(b.t.CursorKey, b.t.ID)
	if err != nil {
		return "" // which its operation will say
	}
	id, _, _ := ids.Read(b.ids[i])
	return id
}

// refuseMembership returns the error of an operation that can't be done to a membership in a bulk request, or nil.
func refuseMembership(op Operation) error {
	switch {
	case !isMembership(op.Type):
		return nil
	case op.Method == http.MethodPut || op.Method == http.MethodPatch:
		return scim.Errorf(http.StatusMethodNotAllowed, scim.NoType,
			"A membership can't be changed: delete it with DELETE and create another one with POST.")
	case strings.HasPrefix(op.ID, bulkid.Prefix):
		return scim.BadRequest(scim.InvalidValue,
			"A membership that the same request creates can't be named by its bulkId.")
	}
	return nil
}
