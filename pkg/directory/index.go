package directory

import (
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Names of the lookups in the table; see store.Keys.Lookup.
const (
	userExternalID  = "User.externalId"
	userEmail       = "User.emails"
	userManager     = "User.manager"
	groupExternalID = "Group.externalId"
)

// externalID is the name of the lookup of a type's externalId.
func externalID(rt *schema.ResourceType) string { return rt.ID + ".externalId" }

// indexEntries are the lookup items of a resource by key. They follow from its document alone.
type indexEntries map[store.Key]store.Attrs

// userEntries returns the lookup items of a user.
func userEntries(k store.Keys, id string, doc scim.Object) indexEntries {
	entries := indexEntries{k.UserName(scim.Fold(text(doc, "userName"))): {"id": id}}
	if external := text(doc, "externalId"); external != "" {
		entries[k.Lookup(userExternalID, external, id)] = store.Attrs{}
	}
	emails, _ := doc["emails"].([]any)
	for _, e := range emails {
		email, _ := e.(scim.Object)
		value := text(email, "value")
		if value == "" {
			continue
		}
		key := k.Lookup(userEmail, scim.Fold(value), id)
		types := scim.Fold(text(email, "type"))
		if other, twice := entries[key]; twice {
			types = other["types"].(string) + store.Sep + types
		}
		entries[key] = store.Attrs{"types": types}
	}
	if value := text(managerOf(doc), "value"); value != "" {
		entries[k.Lookup(userManager, value, id)] = store.Attrs{}
	}
	return entries
}

// groupEntries returns the lookup items of a group, but for the holder of its name.
func groupEntries(k store.Keys, id string, doc scim.Object) indexEntries {
	entries := indexEntries{k.GroupName(scim.Fold(text(doc, "displayName")), id): {}}
	if external := text(doc, "externalId"); external != "" {
		entries[k.Lookup(groupExternalID, external, id)] = store.Attrs{}
	}
	return entries
}

// reindex appends what turns the lookup items before into those after. A key is in a transaction once: what stays is
// rewritten only where its attributes changed, and never deleted and put.
func (tx *transaction) reindex(before, after indexEntries, unique store.Key, duplicate error) {
	for key, attrs := range after {
		old, stays := before[key]
		switch {
		case stays && sameAttrs(old, attrs):
		case key == unique && !stays:
			tx.must(when(put(key, attrs), isAbsent()...), duplicate)
		default:
			tx.add(put(key, attrs))
		}
	}
	for key := range before {
		if _, stays := after[key]; !stays {
			tx.add(remove(key))
		}
	}
}

func sameAttrs(a, b store.Attrs) bool {
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		if b[name] != v {
			return false
		}
	}
	return true
}

// text returns a string attribute of an object, or "".
func text(o scim.Object, name string) string {
	s, _ := o[name].(string)
	return s
}

// managerOf returns the manager of a user's document, or nil.
func managerOf(doc scim.Object) scim.Object {
	enterprise, _ := doc[scim.EnterpriseUserURN].(scim.Object)
	manager, _ := enterprise["manager"].(scim.Object)
	return manager
}
