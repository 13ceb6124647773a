package patch

import (
	"maps"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// LeavesLabels reports whether an operation by itself leaves a value with labels only, for the operations that may
// follow.
func LeavesLabels(t *schema.ResourceType, doc scim.Object, op Operation, d scim.Dialect) bool {
	p := &patcher{t: t, d: d, doc: maps.Clone(doc)}
	return p.apply(op) == nil && len(p.emptied) > 0
}
