package policy

import (
	"context"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/domain"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// verbs name actions in a sentence.
var verbs = map[directory.Action]string{
	directory.ActionCreate: "creating", directory.ActionUpdate: "changing", directory.ActionDelete: "deleting",
}

// permit refuses requests that the policy forbids (requests.forbid). The error is then a *scim.Error 403.
func (p *policies) permit(
	ctx context.Context, t directory.Tenant, rt *schema.ResourceType, a directory.Action,
) error {
	requests, err := p.of(ctx, t)
	if requests == nil || err != nil {
		return err
	}
	resource, things := "Users", "users"
	switch rt.ID {
	case schema.UserType().ID:
	case schema.GroupType().ID:
		resource, things = "Groups", "groups and their members"
		if a != directory.ActionUpdate {
			things = "groups"
		}
	default:
		return nil
	}
	if !requests.Forbids(resource, string(a)) {
		return nil
	}
	return scim.Errorf(http.StatusForbidden, scim.NoType, "The policy of this tenant forbids %s %s (%s.%s). "+
		"The operator of the application can allow it. Otherwise switch it off in the identity provider.",
		verbs[a], things, resource, a)
}

// allow refuses a user without a value that the policy requires (members.attributes), or with an address outside of the
// verified domains (requests.domains). The error is then a *scim.Error 400 invalidValue that names the attribute.
func (p *policies) allow(ctx context.Context, c directory.Change) error {
	if c.Action == directory.ActionDelete || c.Type.ID != schema.UserType().ID {
		return nil
	}
	requests, err := p.of(ctx, c.Tenant)
	if requests == nil || err != nil {
		return err
	}
	if err := requests.Required(c.Before, c.After); err != nil {
		return err
	}
	return requests.Addresses(c.Before, c.After, func(attribute, address string) error {
		name, ok := domain.Of(address)
		switch {
		case !ok:
			return scim.BadRequest(scim.InvalidValue,
				"The application takes only e-mail addresses of verified domains in %s, and %s is not an address: "+
					"it needs exactly one @, then a domain. Correct it in the identity provider.",
				attribute, scim.Quote(address))
		case !domain.Set(c.Tenant.Domains).Has(name):
			return scim.BadRequest(scim.InvalidValue,
				"The application takes only addresses of verified domains in %s, and %s is not one of them. "+
					"Add and verify %s in the application, then send the user again; or correct %s in the "+
					"identity provider.", attribute, scim.Quote(name), name, scim.Quote(address))
		}
		return nil
	})
}

// bound counts users who are deactivated or deleted, if the policy has a guard (requests.guard). The error is a
// *scim.Error 503 if they are too many. Any other change costs nothing.
func (p *policies) bound(ctx context.Context, c directory.Change) (*store.Tx, error) {
	if c.Type.ID != schema.UserType().ID {
		return nil, nil
	}
	action := guard.Delete
	switch {
	case c.Action == directory.ActionDelete:
	case c.Action == directory.ActionUpdate && c.After["active"] == false && c.Before["active"] != false:
		action = guard.Deactivate
	default:
		return nil, nil
	}
	requests, err := p.of(ctx, c.Tenant)
	if requests == nil || err != nil || requests.Guard == nil {
		return nil, err
	}
	return p.guard.Pass(ctx, c.Tenant.ID, *requests.Guard, c.ID, action)
}
