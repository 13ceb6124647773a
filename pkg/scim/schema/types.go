package schema

import (
	"slices"
	"strings"
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Types are the resource types and schemas of one tenant. They are immutable and may be shared by many goroutines.
type Types struct {
	all     []*ResourceType
	schemas []*Schema
	byPath  map[string]*ResourceType
}

// DefaultTypes are the types of a tenant for which nothing is defined: User and Group. Like all schemas of RFC 7643
// they are made at their first use: a process needs none before its first authenticated request.
var DefaultTypes = sync.OnceValue(func() *Types {
	return NewTypes([]*ResourceType{UserType(), GroupType()}, []*Schema{User(), Group(), EnterpriseUser()})
})

// NewTypes joins the types of a tenant, User and Group the first two, and the schemas that they are made of.
// Discovery shows its own schemas after them.
func NewTypes(all []*ResourceType, schemas []*Schema) *Types {
	t := &Types{
		all: all, schemas: append(slices.Clip(schemas), ServiceProviderConfig(), ResourceTypeSchema(), SchemaSchema()),
		byPath: map[string]*ResourceType{},
	}
	for _, rt := range all {
		t.byPath[scim.Fold(strings.TrimPrefix(rt.Endpoint, "/"))] = rt
	}
	return t
}

// User is the type of users.
func (t *Types) User() *ResourceType { return t.all[0] }

// Group is the type of groups.
func (t *Types) Group() *ResourceType { return t.all[1] }

// All lists the types: User, Group, then those that an operator defined, by id. The list must not be changed.
func (t *Types) All() []*ResourceType { return t.all }

// Schemas lists the schemas that /Schemas shows. The list must not be changed.
func (t *Types) Schemas() []*Schema { return t.schemas }

// ByEndpoint is the type whose endpoint is name, "Users", in any case; nil if there is none.
func (t *Types) ByEndpoint(name string) *ResourceType { return t.byPath[scim.Fold(name)] }

// ByID is the type with that id, in any case; nil if there is none.
func (t *Types) ByID(id string) *ResourceType {
	for _, rt := range t.all {
		if strings.EqualFold(rt.ID, id) {
			return rt
		}
	}
	return nil
}
