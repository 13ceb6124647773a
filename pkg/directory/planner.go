package directory

import (
	"context"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/plan"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// planner plans with the lookups of a tenant's resources of one type.
type planner struct {
	plan.Planner
	d  *Directory
	ts *store.TenantStore
}

func (d *Directory) planner(t Tenant, ts *store.TenantStore, rt *schema.ResourceType) *planner {
	p := &planner{d: d, ts: ts, Planner: plan.Planner{
		Type: rt, BareNames: t.Dialect.BareExtensionNames, Unquoted: t.Dialect.UnquotedFilterValues,
		Attached: attached(rt),
	}}
	p.Planner.StartsWith, p.Planner.Among = p.startsWith, p.among
	switch {
	case row.IsUser(rt):
		p.Lookups = map[string]plan.Lookup{
			"id": p.byID, "userName": p.byUserName, "externalId": p.byExternalID, "emails": p.byEmail,
			"emails.value": p.byEmail,
			"manager":      p.byManager, "manager.value": p.byManager, "groups": p.byGroup, "groups.value": p.byGroup,
		}
	case row.IsGroup(rt):
		p.Lookups = map[string]plan.Lookup{
			"id": p.byID, "displayName": p.byGroupName, "externalId": p.byExternalID, "members": p.byMember,
			"members.value": p.byMember,
		}
	default:
		p.Lookups = map[string]plan.Lookup{"id": p.byID, "externalId": p.byExternalID}
	}
	for _, ref := range rt.UniqueAttributes() {
		p.Lookups[plan.NameOf(ref)] = p.byUnique(ref)
	}
	for name, find := range p.Lookups {
		p.Lookups[name] = ofStored(find)
	}
	return p
}

// ofStored is find for the values that may be stored: none is longer.
func ofStored(find plan.Lookup) plan.Lookup {
	return func(ctx context.Context, value, hint string) ([]string, error) {
		if len(value) > store.MaxSKBytes/2 {
			return nil, nil
		}
		return find(ctx, value, hint)
	}
}

// startsWith is the narrowing by the beginning of a value, nil where values are not in order.
func (p *planner) startsWith(name, value string) *plan.Narrowing {
	var prefix store.Key
	folded, find := scim.Fold(value), p.keys
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
		Find: func(ctx context.Context) (plan.Candidates, error) {
			if len(value) > store.MaxSKBytes/2 {
				return plan.Candidates{}, nil
			}
			return plan.Found(find(ctx, prefix))
		},
	}
}
