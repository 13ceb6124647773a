package record

import (
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// The indexed attributes of a member, as they stand in keys.
const (
	ByStatus       = "status"
	ByUserName     = "userName"
	ByExternalID   = "externalId"
	byLoginAddress = "loginAddress"
	ByEmail        = "email"
	byAccountID    = "accountId"
	ByAssignment   = "assignment"
	ByProtected    = "protected" // the assignments of a member whom a protection keeps
	byLocalPart    = "local"     // of the address, for members with a name and without externalId
	BySuspected    = "suspected" // members who are probably the duplicate of another
)

// AssignmentValue is the value by which the members with a target are found.
func AssignmentValue(key mapping.TargetKey) string { return store.Join(key.Kind, key.Name) }

// Lookups are the keys by which a member is found. One that was removed is found by its status only.
func (m Member) Lookups(k store.Keys) map[store.Key]bool {
	keys := map[store.Key]bool{k.PublishedLookup(ByStatus, string(m.Status), m.ID): true}
	if m.Status == Removed {
		return keys
	}
	for attribute, value := range map[string]string{
		ByUserName: scim.Fold(m.UserName), ByExternalID: m.ExternalID, byLoginAddress: scim.Fold(m.LoginAddress),
		ByEmail: scim.Fold(m.Email), byAccountID: m.AccountID, byLocalPart: localPart(m.Person),
	} {
		if value != "" {
			keys[k.PublishedLookup(attribute, value, m.ID)] = true
		}
	}
	if len(m.Suspects) > 0 {
		keys[k.PublishedLookup(BySuspected, "", m.ID)] = true
	}
	for _, a := range m.Assignments {
		keys[k.PublishedLookup(ByAssignment, AssignmentValue(a.TargetKey), m.ID)] = true
		if m.Protected {
			keys[k.PublishedLookup(ByProtected, AssignmentValue(a.TargetKey), m.ID)] = true
		}
	}
	return keys
}

// Reindex returns the operations that lead from the lookups of one member to those of the next. old is nil if there is
// none.
func Reindex(k store.Keys, old *Member, next Member) (put, remove []store.Op) {
	var had map[store.Key]bool
	if old != nil {
		had = old.Lookups(k)
	}
	has := next.Lookups(k)
	for key := range has {
		if !had[key] {
			put = append(
				put,
				store.Op{Kind: store.Put, Key: key, Set: store.Attrs{store.AttrSchema: store.SchemaVersion}},
			)
		}
	}
	for key := range had {
		if !has[key] {
			remove = append(remove, store.Op{Kind: store.Delete, Key: key})
		}
	}
	return put, remove
}
