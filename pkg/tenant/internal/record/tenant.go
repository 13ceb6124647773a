package record

import (
	"bytes"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// DefaultIdP is the default profile of a tenant.
const DefaultIdP = "generic"

// Limits of the parts of a tenant.
const (
	MinIDLength  = 3
	MaxIDLength  = 40
	maxNameBytes = 256
)

// Tenant is one customer organisation. Token values are never part of it.
type Tenant struct {
	// ID is the path element of the tenant's base URL: 3 to 40 of a-z, 0-9 and "-".
	ID string
	// Name is for people.
	Name string
	// IdP is one of scim.IdPs.
	IdP string
	// Active is the tenant's switch. If it is false, every SCIM request is answered with 403.
	Active   bool
	Settings Settings
	Created  time.Time
	Modified time.Time
	// Connected is the time of the first authenticated request; zero for never, or before this was recorded.
	Connected time.Time
	// Tokens are the live tokens and the dead ones of the last 90 days, oldest first. LastUsedAt is filled by Tokens
	// only.
	Tokens []Token
	// Schemas is a hash of the schemas and resource types that are defined for the tenant; empty if there are none. See
	// Service.Types.
	Schemas string
	// Policy is a digest of the policy that is saved for the tenant; empty if there is none.
	Policy string
	// Domains are the verified domains, as a domain.Set.
	Domains string

	key     []byte // see CursorKey
	version int64  // of the stored item
}

// CursorKey is a secret key of the tenant, which is never shown. It seals the cursors of its lists and the ids of its
// memberships. It never changes.
func (t Tenant) CursorKey() []byte { return t.key }

// Version is the version of the tenant's item. It changes with every change of the tenant, including its schemas.
func (t Tenant) Version() int64 { return t.version }

// Dialect is the dialect of the tenant's identity provider.
func (t Tenant) Dialect() scim.Dialect {
	d, _ := scim.DialectOf(t.IdP)
	return d
}

// UniqueGroupNames reports whether a second group with the same displayName is refused: by the setting, else by the
// dialect.
func (t Tenant) UniqueGroupNames() bool {
	if set := t.Settings.SCIM.UniqueGroupNames; set != nil {
		return *set
	}
	return t.Dialect().UniqueGroupNames
}

// GroupMemberships reports whether memberships of groups are resources of their own; by default they are not.
func (t Tenant) GroupMemberships() bool {
	on := t.Settings.SCIM.GroupMemberships
	return on != nil && *on
}

// PublishesMembers reports whether the tenant's members are published to the application; by default they are.
func (t Tenant) PublishesMembers() bool { return t.Settings.PublishesMembers() }

// PatchBody says how a PATCH is answered: with the resource (PatchBodyFull), with 204 and nothing (PatchBodyNone), or
// if it is empty, as the profile says.
func (t Tenant) PatchBody() string { return t.Settings.SCIM.PatchBody }

// ValidID reports whether id has the form of a tenant id. Keys are made only of ids that passed it, so that no id can
// name another tenant's partitions.
func ValidID(id string) bool {
	if len(id) < MinIDLength || len(id) > MaxIDLength {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// Same reports whether a tenant is unchanged between two reads, not counting LastUsedAt of its tokens.
func (t *Tenant) Same(u *Tenant) bool {
	return t.ID == u.ID && t.version == u.version && bytes.Equal(t.key, u.key)
}
