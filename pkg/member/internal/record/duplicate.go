package record

import (
	"cmp"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Duplicate are two members who are probably one person, the older one first. By are the attributes that they share.
type Duplicate struct {
	Members [2]Member
	By      []string
}

// Object is the pair as JSON.
func (d Duplicate) Object() scim.Object {
	return scim.Object{
		"members": []any{d.Members[0].Object(), d.Members[1].Object()}, "by": Texts(d.By),
	}
}

// SharedBy returns the attributes by which two members are probably one person; nil if there are none.
func SharedBy(a, b Member) []string {
	if a.Status == Removed || b.Status == Removed || a.ID == b.ID {
		return nil
	}
	var by []string
	if a.ExternalID != "" && a.ExternalID == b.ExternalID {
		by = append(by, ByExternalID)
	}
	if a.ExternalID != "" && b.ExternalID != "" {
		return by
	}
	name, email := scim.Fold(a.UserName), scim.Fold(a.Email)
	otherName, otherEmail := scim.Fold(b.UserName), scim.Fold(b.Email)
	if name != "" && name == otherName {
		by = append(by, ByUserName)
	}
	if email != "" && (email == otherEmail || email == otherName) || otherEmail != "" && otherEmail == name {
		by = append(by, ByEmail)
	}
	local := localPart(a.Person)
	if len(by) == 0 && local != "" && local == localPart(b.Person) && nameOf(a.Person) == nameOf(b.Person) {
		by = append(by, byName)
	}
	return by
}

// byName says that two members have the same name, and the same address except for the domain.
const byName = "displayName"

// localPart is the folded part of a person's address before the domain, if the person has a name and no externalId;
// else "".
func localPart(person mapping.Person) string {
	if person.ExternalID != "" || nameOf(person) == "" {
		return ""
	}
	address := cmp.Or(person.Email, person.UserName)
	return scim.Fold(address[:max(strings.LastIndexByte(address, '@'), 0)])
}

// nameOf is the folded name of a person.
func nameOf(person mapping.Person) string {
	given, _ := person.Name["givenName"].(string)
	family, _ := person.Name["familyName"].(string)
	return scim.Fold(cmp.Or(person.DisplayName, strings.TrimSpace(given+" "+family)))
}

// identity holds the values by which duplicates are recognised.
type identity struct{ userName, email, externalID, local, name string }

// IdentityOf is the identity of a person.
func IdentityOf(person mapping.Person) identity {
	i := identity{userName: scim.Fold(person.UserName), email: scim.Fold(person.Email), externalID: person.ExternalID}
	if i.local = localPart(person); i.local != "" {
		i.name = nameOf(person)
	}
	return i
}

// Prefixes are those of the lookups of members with the same values.
func (i identity) Prefixes(k store.Keys) []store.Key {
	var all []store.Key
	if i.externalID != "" {
		all = append(all, k.PublishedPrefix(ByExternalID, i.externalID))
	}
	if i.name != "" {
		all = append(all, k.PublishedPrefix(byLocalPart, i.local))
	}
	for _, value := range slices.Compact([]string{i.userName, i.email}) {
		if value != "" {
			all = append(all, k.PublishedPrefix(ByUserName, value), k.PublishedPrefix(ByEmail, value))
		}
	}
	return all
}
