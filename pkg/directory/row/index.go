package row

import (
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Names of the lookups in the table; see store.Keys.Lookup.
const (
	UserExternalID  = "User.externalId"
	UserEmail       = "User.emails"
	UserManager     = "User.manager"
	GroupExternalID = "Group.externalId"
)

// ExternalID is the name of the lookup of a type's externalId.
func ExternalID(rt *schema.ResourceType) string { return rt.ID + ".externalId" }

// IndexEntries are the lookup items of a resource by key. They follow from its document alone.
type IndexEntries map[store.Key]store.Attrs

// UserEntries returns the lookup items of a user.
func UserEntries(k store.Keys, r Record) IndexEntries {
	id, doc := r.ID, r.Doc
	entries := IndexEntries{k.UserName(scim.Fold(Text(doc, "userName"))): {"id": id}}
	if external := Text(doc, "externalId"); external != "" {
		entries[k.Lookup(UserExternalID, external, id)] = store.Attrs{}
	}
	emails, _ := doc["emails"].([]any)
	for _, e := range emails {
		email, _ := e.(scim.Object)
		value := Text(email, "value")
		if value == "" {
			continue
		}
		key := k.Lookup(UserEmail, scim.Fold(value), id)
		types := scim.Fold(Text(email, "type"))
		if other, twice := entries[key]; twice {
			types = other["types"].(string) + store.Sep + types
		}
		entries[key] = store.Attrs{"types": types}
	}
	if value := Text(ManagerOf(doc), "value"); value != "" {
		entries[k.Lookup(UserManager, value, id)] = store.Attrs{}
	}
	return entries
}

// GroupEntries returns the lookup items of a group, except the holder of its name.
func GroupEntries(k store.Keys, r Record) IndexEntries {
	id, doc := r.ID, r.Doc
	entries := IndexEntries{k.GroupName(scim.Fold(Text(doc, "displayName")), id): {}}
	if external := Text(doc, "externalId"); external != "" {
		entries[k.Lookup(GroupExternalID, external, id)] = store.Attrs{}
	}
	return entries
}

// OtherEntries returns the lookup items of a resource of a type that an operator has defined.
func OtherEntries(k store.Keys, r Record) IndexEntries {
	entries := IndexEntries{}
	if external := Text(r.Doc, "externalId"); external != "" {
		entries[k.Lookup(ExternalID(r.Type), external, r.ID)] = store.Attrs{}
	}
	return entries
}

// EntryChange are the lookup items of a resource before and after a write.
type EntryChange struct{ Before, After IndexEntries }

// Reindex appends the operations that turn the lookup items before into those after. A key is in a transaction once: an
// item that stays is rewritten only if its attributes changed, and never deleted and put. duplicates has the answer for
// keys that no other resource may have.
func Reindex(tx *store.Tx, e EntryChange, duplicates map[store.Key]error) {
	for key, attrs := range e.After {
		old, stays := e.Before[key]
		duplicate, unique := duplicates[key]
		switch {
		case stays && sameAttrs(old, attrs):
		case unique && !stays:
			tx.Must(store.PutItem(key, attrs).When(store.IsAbsent()), duplicate)
		default:
			tx.Add(store.PutItem(key, attrs))
		}
	}
	for key := range e.Before {
		if _, stays := e.After[key]; !stays {
			tx.Add(store.RemoveItem(key))
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

// Text returns a string attribute of an object, or "".
func Text(o scim.Object, name string) string {
	s, _ := o[name].(string)
	return s
}

// ManagerOf returns the manager of a user's document, or nil.
func ManagerOf(doc scim.Object) scim.Object {
	enterprise, _ := doc[scim.EnterpriseUserURN].(scim.Object)
	manager, _ := enterprise["manager"].(scim.Object)
	return manager
}
