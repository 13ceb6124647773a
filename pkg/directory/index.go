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
func userEntries(k store.Keys, r record) indexEntries {
	id, doc := r.id, r.doc
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
func groupEntries(k store.Keys, r record) indexEntries {
	id, doc := r.id, r.doc
	entries := indexEntries{k.GroupName(scim.Fold(text(doc, "displayName")), id): {}}
	if external := text(doc, "externalId"); external != "" {
		entries[k.Lookup(groupExternalID, external, id)] = store.Attrs{}
	}
	return entries
}

// otherEntries returns the lookup items of a resource of a type that an operator has defined.
func otherEntries(k store.Keys, r record) indexEntries {
	entries := indexEntries{}
	if external := text(r.doc, "externalId"); external != "" {
		entries[k.Lookup(externalID(r.rt), external, r.id)] = store.Attrs{}
	}
	return entries
}

// entryChange are the lookup items of a resource before and after a write.
type entryChange struct{ before, after indexEntries }

// reindex appends the operations that turn the lookup items before into those after. A key is in a transaction once: an
// item that stays is rewritten only if its attributes changed, and never deleted and put. duplicates has the answer for
// keys that no other resource may have.
func reindex(tx *store.Tx, e entryChange, duplicates map[store.Key]error) {
	for key, attrs := range e.after {
		old, stays := e.before[key]
		duplicate, unique := duplicates[key]
		switch {
		case stays && sameAttrs(old, attrs):
		case unique && !stays:
			tx.Must(store.PutItem(key, attrs).When(store.IsAbsent()), duplicate)
		default:
			tx.Add(store.PutItem(key, attrs))
		}
	}
	for key := range e.before {
		if _, stays := e.after[key]; !stays {
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
