package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Action is the kind of a write to a resource.
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

// Rules restrict the writes of clients further than the RFC and the schemas do. Their errors are the answers.
// Permit and Allow must not write. A rule that is nil allows everything.
type Rules struct {
	// Permit decides whether clients may do something to resources of a type at all.
	Permit func(ctx context.Context, t Tenant, rt *schema.ResourceType, a Action) error
	// Allow decides whether a change may happen. It is asked for each attempt of a write, after everything about the
	// request itself was found good.
	Allow func(ctx context.Context, c Change) error
	// Bound decides the same, after Allow, for changes that are limited in number. It returns a few operations that
	// count the change in the same transaction, or nil. If it refuses, it may write that down.
	Bound func(ctx context.Context, c Change) (*store.Tx, error)
}

// Permit asks the rules whether a client may do something to resources of a type at all. It is for callers to ask,
// before they look at anything else of a request: so a refusal reveals nothing. To create or delete a membership is to
// update a group.
func (d *Directory) Permit(ctx context.Context, t Tenant, rt *schema.ResourceType, a Action) error {
	if d.o.Rules.Permit == nil {
		return nil
	}
	if row.IsMembership(rt) {
		rt, a = t.ResourceTypes().Group(), ActionUpdate
	}
	return d.o.Rules.Permit(ctx, t, rt, a)
}

// allow asks the rules about a change.
func (d *Directory) allow(ctx context.Context, dr *draft) (err error) {
	c := dr.change()
	if d.o.Rules.Allow != nil {
		if err := d.o.Rules.Allow(ctx, c); err != nil {
			return err
		}
	}
	if d.o.Rules.Bound != nil {
		dr.bound, err = d.o.Rules.Bound(ctx, c)
	}
	return err
}
