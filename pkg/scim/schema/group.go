package schema

import (
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Group is the schema of groups (RFC 7643, section 4.2).
var Group = sync.OnceValue(func() *Schema {
	return Define(&Schema{
		ID: scim.GroupURN, Name: "Group", Description: "Group",
		Attributes: append(Common(),
			str("displayName", "The name of the group as people see it.", required, maxBytes(MaxNameBytes)),
			multi("members", "The users and groups that are members of the group.", []*Attribute{
				str("value", "The id of the member.", required, caseExact, immutable),
				with(ref("$ref", "The address of the member.", "User", "Group"), immutable),
				str("type", "What the member is.", immutable, canonical("User", "Group")),
				str("display", "The member's displayName.", immutable),
			}, oneValue),
		),
	})
})

// UserType is the resource type User with the enterprise extension. It is shared: do not change it.
var UserType = sync.OnceValue(func() *ResourceType {
	return &ResourceType{
		ID: "User", Name: "User", Endpoint: "/Users", Description: "User Account",
		Core: User(), Extensions: []Extension{{Schema: EnterpriseUser()}},
	}
})

// GroupType is the resource type Group. It is shared: do not change it.
var GroupType = sync.OnceValue(func() *ResourceType {
	return &ResourceType{ID: "Group", Name: "Group", Endpoint: "/Groups", Description: "Group", Core: Group()}
})
