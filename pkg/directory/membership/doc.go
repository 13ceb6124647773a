// Package membership keeps the members of groups and the managers of users: small and large changes of these, and
// reading them while a large change is under way. It commits every transaction on resources, since any of them can
// leave open work about memberships behind.
//
// A small change is part of its group's transaction. A large one is open work: readers see it as done from the commit
// on, and any later writer may complete it. Reads apply open work to the stored items.
//
// The files, in the order to read them:
//
//	service.go     Service, and how writes that compete try again
//	write.go       a transaction, and the one place that commits it
//	membership.go  who the values of a request name, and which memberships it changes
//	stage.go       the items of one membership
//	groupwrite.go  the write of a group with its members
//	large.go       a change of members that is larger than one transaction
//	references.go  references that wait for the user whom they name
//	work.go        open work: the changes that a committed write has still to make, and who makes them
//	resolve.go     the references that wait for a user who has arrived
//	leave.go       the end of a deleted user's memberships
//	overlay.go     the changes of members and groups in open work
//	beside.go      reading under open work; the groups of a user
//	members.go     the members of a group on their way out
//	link.go        a membership as a resource of its own
//	people.go      users with their groups and managers, many together
package membership
