// Package people is the pages about what arrives: the groups and what they give, the members, and the activity.
//
//	people.go     the room
//	groups.go     groups with what they give, and the rules
//	forms.go      the forms of a rule and of a naming grammar
//	edit.go       changes of the policy document
//	rehearsal.go  what a change would do, and saving it
package people
