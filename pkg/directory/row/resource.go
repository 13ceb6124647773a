package row

import (
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Tenant holds the properties of a request's tenant that the directory needs.
type Tenant struct {
	ID string
	// BaseURL is the tenant's SCIM base URL without a trailing slash; locations and references are made with it.
	BaseURL string
	Dialect scim.Dialect
	// Types are the tenant's resource types; nil are those of RFC 7643.
	Types *schema.Types
	// UniqueGroupNames refuses a second group of the same displayName.
	UniqueGroupNames bool
	// Policy names the policy that the tenant has saved; "": none. Another document has another name.
	Policy string
	// Domains are the verified domains of the tenant, as a domain.Set.
	Domains string
	// CursorKey is the tenant's secret that cursors are sealed with. Without one there are no cursors.
	CursorKey []byte
}

// ResourceTypes are the tenant's resource types.
func (t Tenant) ResourceTypes() *schema.Types {
	if t.Types == nil {
		return schema.DefaultTypes()
	}
	return t.Types
}

// Resource is a user, a group or a resource of an own type as a client may see it.
type Resource struct {
	Type     *schema.ResourceType
	ID       string
	Version  int64
	Modified time.Time
	// Doc is the whole resource with id, schemas and meta, and with groups or members if the projection wants them.
	// It is not yet projected.
	Doc scim.Object
}

// ETag returns the resource's version as a weak entity tag (RFC 7644, section 3.14).
func (r Resource) ETag() string { return etag(r.Version) }

func etag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

// IsUser reports whether a type is that of users.
func IsUser(rt *schema.ResourceType) bool { return rt.ID == schema.UserType().ID }

// IsGroup reports whether a type is that of groups.
func IsGroup(rt *schema.ResourceType) bool { return rt.ID == schema.GroupType().ID }

// IsMembership reports whether a type is that of memberships.
func IsMembership(rt *schema.ResourceType) bool { return rt.ID == schema.MembershipType().ID }

// Location is the address of a resource: absolute, and the same whichever way the request came.
func Location(t Tenant, rt *schema.ResourceType, id string) string {
	return t.BaseURL + rt.Endpoint + "/" + id
}

// CloneTop copies a document; the values of its attributes are shared.
func CloneTop(doc scim.Object) scim.Object {
	c := make(scim.Object, len(doc)+2)
	for k, v := range doc {
		c[k] = v
	}
	return c
}
