package lookup

import (
	"context"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Planner plans with the lookups of a tenant's resources of one type.
type Planner struct {
	plan.Planner
	members *membership.Service
	ts      *store.TenantStore
}

// NewPlanner returns the planner for resources of type rt.
func NewPlanner(members *membership.Service, t row.Tenant, ts *store.TenantStore, rt *schema.ResourceType) *Planner {
	p := &Planner{members: members, ts: ts, Planner: plan.Planner{
		Type: rt, BareNames: t.Dialect.BareExtensionNames, Unquoted: t.Dialect.UnquotedFilterValues,
		Attached: Attached(rt),
	}}
	p.Planner.Lookup, p.Planner.StartsWith, p.Planner.Among = p.by, p.startsWith, p.among
	return p
}

// Attached is the attribute that is not part of the stored document; "" if there is none.
func Attached(rt *schema.ResourceType) string {
	switch {
	case row.IsGroup(rt):
		return "members"
	case row.IsUser(rt):
		return "groups"
	}
	return ""
}

// by returns the lookup by an attribute, nil if there is none. It finds nothing for values too long to be stored.
func (p *Planner) by(name string) plan.Lookup {
	find := p.byName(name)
	if find == nil {
		return nil
	}
	return func(ctx context.Context, value, hint string) ([]string, error) {
		if len(value) > store.MaxSKBytes/2 {
			return nil, nil
		}
		return find(ctx, value, hint)
	}
}

func (p *Planner) byName(name string) plan.Lookup {
	for _, ref := range p.Type.UniqueAttributes() {
		if plan.NameOf(ref) == name {
			return p.byUnique(ref)
		}
	}
	switch user, group := row.IsUser(p.Type), row.IsGroup(p.Type); {
	case name == "id":
		return p.byID
	case name == "externalId":
		return p.byExternalID
	case user && name == "userName":
		return p.byUserName
	case user && (name == "emails" || name == "emails.value"):
		return p.byEmail
	case user && (name == "manager" || name == "manager.value"):
		return p.byManager
	case user && (name == "groups" || name == "groups.value"):
		return p.byGroup
	case group && name == "displayName":
		return p.byGroupName
	case group && (name == "members" || name == "members.value"):
		return p.byMember
	}
	return nil
}

// startsWith is the narrowing by the beginning of a value, nil if values are not in order.
func (p *Planner) startsWith(name, value string) *plan.Narrowing {
	var prefix store.Key
	folded, find := scim.Fold(value), p.under
	switch group := row.IsGroup(p.Type); {
	case group && name == "displayName":
		prefix = p.ts.GroupNamePrefix(folded)
	case group && name == "externalId":
		prefix = p.ts.LookupPrefix(row.GroupExternalID, value)
	case group:
		return nil
	case name == "externalId":
		prefix = p.ts.LookupPrefix(row.ExternalID(p.Type), value)
	case !row.IsUser(p.Type):
		return nil
	case name == "userName":
		prefix, find = p.ts.UserName(folded), p.named
	case name == "emails", name == "emails.value":
		prefix = p.ts.LookupPrefix(row.UserEmail, folded)
	default:
		return nil
	}
	if name != "userName" {
		prefix.SK = strings.TrimSuffix(prefix.SK, store.Sep)
	}
	return &plan.Narrowing{
		Text: name + " sw", Exists: true,
		Find: plan.Range(func(ctx context.Context) (ids []string, pages int, err error) {
			if len(value) > store.MaxSKBytes/2 {
				return nil, 1, nil
			}
			return find(ctx, prefix)
		}),
	}
}
