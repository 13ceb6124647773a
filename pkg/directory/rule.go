package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Action is what a write does to a resource.
type Action string

// The actions.
const (
	ActionCreate Action = "create"
	ActionUpdate Action = "update"
	ActionDelete Action = "delete"
)

// Change is a write of one resource as rules see it, before it is committed.
type Change struct {
	Tenant Tenant
	Type   *schema.ResourceType
	ID     string
	Action Action
	// Before and After are the stored documents, without id, meta, groups and members; nil if the resource is created
	// or deleted. They must not be changed.
	Before, After scim.Object
	// Joining and Leaving are the values of members that a group gets and loses.
	Joining, Leaving []string
}

// Rule decides whether a change may happen; its error is the answer if not. It is asked for each attempt of a write,
// after everything about the request itself was found good. It must not write.
type Rule func(ctx context.Context, c Change) error

// allow asks the rules.
func (d *Directory) allow(ctx context.Context, c Change) error {
	for _, rule := range d.o.Rules {
		if err := rule(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
