// Package membership is who is a member of which group, and who is whose manager: small and large changes of these, and
// reading them while a large change is under way. It commits every transaction on resources, since any of them can
// leave open work about memberships behind.
//
// A small change is part of its group's transaction. A large one is open work: from the commit on it has happened, and
// whoever comes next rolls it forward. Reads look through open work.
//
// The files, in the order to read them:
//
//	service.go     Service, and how writes that compete try again
//	write.go       a transaction, and the one place where it is committed
//	membership.go  who the values of a request name, and which memberships it changes
//	stage.go       what one membership writes
//	groupwrite.go  the write of a group with its members
//	large.go       a change of members that is larger than one transaction
//	references.go  references that wait for the user whom they name
//	work.go        open work: what a committed write still has to bring about, and who does it
//	resolve.go     what waits for a user who has arrived
//	leave.go       the end of a deleted user's memberships
//	overlay.go     what open work says about members and groups
//	beside.go      reading under open work; the groups of a user
//	members.go     the members of a group on their way out
//	link.go        a membership as a resource of its own
//	people.go      users with their groups and managers, many together
package membership
