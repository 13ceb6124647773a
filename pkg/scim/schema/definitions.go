package schema

import "github.com/serverless-scim/serverless-scim/pkg/scim"

// The schemas.
var (
	User                  = &Schema{ID: scim.UserURN, Name: "User", Description: "User Account"}
	Group                 = &Schema{ID: scim.GroupURN, Name: "Group", Description: "Group"}
	EnterpriseUser        = &Schema{ID: scim.EnterpriseUserURN, Name: "EnterpriseUser", Description: "Enterprise User"}
	ServiceProviderConfig = &Schema{ID: scim.ServiceProviderConfigURN, Name: "Service Provider Configuration"}
	ResourceTypeSchema    = &Schema{ID: scim.ResourceTypeURN, Name: "ResourceType"}
	SchemaSchema          = &Schema{ID: scim.SchemaURN, Name: "Schema"}
)

// UserType is the resource type User. It is shared: do not change it.
func UserType() *ResourceType { return nil }

// GroupType is the resource type Group. It is shared: do not change it.
func GroupType() *ResourceType { return nil }
