package store

import "fmt"

// Published is the key of a member as last announced to the application. Its id is that of the user.
func (k Keys) Published(id string) Key { return Key{k.pk("#A"), id} }

// PublishedLookup is the key by which a member is found by the value of an indexed attribute.
func (k Keys) PublishedLookup(attribute, value, id string) Key {
	return Key{k.pk("#AX"), Join(attribute, brief(value), id)}
}

// PublishedPrefix is the prefix of all PublishedLookup keys of a value.
func (k Keys) PublishedPrefix(attribute, value string) Key {
	return Key{k.pk("#AX"), Join(attribute, brief(value)) + Sep}
}

// Left is the key by which the last member who left with a value of an attribute is found.
func (k Keys) Left(attr, value string) Key { return Key{k.pk("#AX"), Join("left", attr, brief(value))} }

// Account is the key of an account of the application.
func (k Keys) Account(id string) Key { return Key{k.pk("#AX"), Join("account", "id", id)} }

// AccountFor is the key by which an account that no member has yet is found by the value of an attribute.
func (k Keys) AccountFor(attr, value string) Key {
	return Key{k.pk("#AX"), Join("accountFor", attr, brief(value))}
}

// Manual is the key of a manual assignment.
func (k Keys) Manual(memberID, kind, organisation, name string) Key {
	return Key{k.pk("#AM"), Join(memberID, kind, organisation, name)}
}

// ManualPrefix is the prefix of all manual assignments of a member.
func (k Keys) ManualPrefix(memberID string) Key { return Key{k.pk("#AM"), Join(memberID) + Sep} }

// Target is the key of a target.
func (k Keys) Target(kind, organisation, name string) Key {
	return Key{k.pk("#AT"), Join(kind, organisation, name)}
}

// TargetPrefix is the prefix of all targets of a kind.
func (k Keys) TargetPrefix(kind string) Key { return Key{k.pk("#AT"), Join(kind) + Sep} }

// Pool is the key of how many seats of a target are in use.
func (k Keys) Pool(kind, organisation, name string) Key {
	return Key{k.pk("#AS"), Join(kind, organisation, name)}
}

// SeatQueue is the key of a member's place in the queue for a seat of a target, by a time in Unix milliseconds.
func (k Keys) SeatQueue(kind, organisation, name string, since int64, memberID string) Key {
	return Key{k.pk("#AQ"), Join(kind, organisation, name, fmt.Sprintf("%015d", max(since, 0)), memberID)}
}

// SeatQueuePrefix is the prefix of all places in the queue for a seat of a target.
func (k Keys) SeatQueuePrefix(kind, organisation, name string) Key {
	return Key{k.pk("#AQ"), Join(kind, organisation, name) + Sep}
}

// Adopted is the key that says that a group names a target whose manual assignments end.
func (k Keys) Adopted(kind, organisation, name, groupID string) Key {
	return Key{k.pk("#AD"), Join(kind, organisation, name, groupID)}
}

// AdoptedPrefix is the prefix of all groups that adopt a target.
func (k Keys) AdoptedPrefix(kind, organisation, name string) Key {
	return Key{k.pk("#AD"), Join(kind, organisation, name) + Sep}
}

// GroupTargets is the key of the targets that a group adopts, and the name under which it is shown as one.
func (k Keys) GroupTargets(groupID string) Key { return Key{k.pk("#AG"), groupID} }

// Pass is the key of the progress of a pass over the members that a marker is about.
func (k Keys) Pass(kind, subject string) Key { return Key{k.pk("#AP"), Join(kind, subject)} }

// Policy is the key of the tenant's policy document.
func (k Keys) Policy() Key { return Key{k.pk(""), "POLICY"} }

// Guard is the key of the counts of the tenant's guard, and whether it has tripped.
func (k Keys) Guard() Key { return Key{k.pk(""), "GUARD"} }

// Guarded is the key that exists while a user counts for the guard.
func (k Keys) Guarded(userID string) Key { return Key{k.pk("#GU"), Join("C", userID)} }

// Held is the key that says that a request about a user was refused by the guard.
func (k Keys) Held(userID string) Key { return Key{k.pk("#GU"), Join("H", userID)} }

// HeldPrefix is the prefix of all Held keys.
func (k Keys) HeldPrefix() Key { return Key{k.pk("#GU"), Join("H") + Sep} }

// Domains is the key of the domains of the tenant, verified or not.
func (k Keys) Domains() Key { return Key{k.pk(""), "DOMAINS"} }

// Import is the key of the item that says which file the tenant is being imported from, and how far that is.
func (k Keys) Import() Key { return Key{k.pk(""), "IMPORT"} }
