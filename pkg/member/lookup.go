package member

import (
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// The indexed attributes of a member, as they stand in keys.
const (
	byStatus       = "status"
	byUserName     = "userName"
	byExternalID   = "externalId"
	byLoginAddress = "loginAddress"
	byEmail        = "email"
	byAccountID    = "accountId"
	byAssignment   = "assignment"
	byProtected    = "protected" // the assignments of a member whom a protection keeps
	byLocalPart    = "local"     // of the address, for members with a name and without externalId
	bySuspected    = "suspected" // members who are probably the duplicate of another
)

// assignmentValue is the value by which the members with a target are found.
func assignmentValue(key mapping.TargetKey) string { return store.Join(key.Kind, key.Name) }

// lookups are the keys by which a member is found. One that was removed is found by its status only.
func (m Member) lookups(k store.Keys) map[store.Key]bool {
	keys := map[store.Key]bool{k.PublishedLookup(byStatus, string(m.Status), m.ID): true}
	if m.Status == Removed {
		return keys
	}
	for attribute, value := range map[string]string{
		byUserName: scim.Fold(m.UserName), byExternalID: m.ExternalID, byLoginAddress: scim.Fold(m.LoginAddress),
		byEmail: scim.Fold(m.Email), byAccountID: m.AccountID, byLocalPart: localPart(m.Person),
	} {
		if value != "" {
			keys[k.PublishedLookup(attribute, value, m.ID)] = true
		}
	}
	if len(m.suspects) > 0 {
		keys[k.PublishedLookup(bySuspected, "", m.ID)] = true
	}
	for _, a := range m.Assignments {
		keys[k.PublishedLookup(byAssignment, assignmentValue(a.TargetKey), m.ID)] = true
		if m.Protected {
			keys[k.PublishedLookup(byProtected, assignmentValue(a.TargetKey), m.ID)] = true
		}
	}
	return keys
}

// reindex returns the operations that lead from the lookups of one member to those of the next. old is nil if there is
// none.
func reindex(k store.Keys, old *Member, next Member) (put, remove []store.Op) {
	var had map[store.Key]bool
	if old != nil {
		had = old.lookups(k)
	}
	has := next.lookups(k)
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
