// Package people is the pages about people: the groups with their rules, the members, and the activity.
//
//	people.go     the room
//	groups.go     groups with the targets that they give, and the rules
//	forms.go      the forms of a rule and of a naming grammar
//	edit.go       changes of the policy document
//	rehearsal.go  the effect of a change, and saving it
//	members.go    lists of members, duplicates, pending references, invitations
//	person.go     one member, with why and history
//	activity.go   the provisioning log, with counts
package people
