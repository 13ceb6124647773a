package schema

import (
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// GroupMembership is the schema of memberships (draft-zollner-scim-group-membership). The name of a member is
// returned on request only, as the draft allows: it is the present name, for which each member must be read.
var GroupMembership = sync.OnceValue(func() *Schema {
	return Define(&Schema{
		ID: scim.GroupMembershipURN, Name: "Group Membership",
		Description: "A single membership: who is a direct member of which group.",
		Attributes: append(membershipCommon(),
			with(complexOf("group", "The group.",
				str("value", "The id of the group.", required, caseExact, immutable),
				with(ref("$ref", "The address of the group.", "Group"), readOnly),
				str("display", "The displayName of the group.", readOnly),
			), required, immutable),
			with(complexOf("member", "The member of the group.",
				str("value", "The id of the member.", required, caseExact, immutable),
				with(ref("$ref", "The address of the member.", "User", "Group"), readOnly),
				str("type", "What the member is.", readOnly, canonical("User", "Group")),
				str("display", "The displayName of the member, or the userName of a user without one.",
					readOnly, onRequest),
			), required, immutable),
		),
	})
})

// membershipCommon makes the common attributes that a membership has: it has no externalId.
func membershipCommon() []*Attribute {
	all := Common()
	return []*Attribute{all[0], all[2]}
}

// MembershipType is the resource type GroupMembership, which is none of a tenant's Types: a tenant has it if it is
// switched on. It is shared: do not change it.
var MembershipType = sync.OnceValue(func() *ResourceType {
	return &ResourceType{
		ID: "GroupMembership", Name: "GroupMembership", Endpoint: "/GroupMemberships",
		Description: "A single membership of a group.", Core: GroupMembership(),
	}
})
