// Package member keeps what the application behind the endpoint is told of a tenant's people: one member for each SCIM
// user, with the status and the assignments that the tenant's policy gives.
//
// A write of the directory marks the users that it touches, in its own transaction. Publishing reads the marker, then
// what holds, evaluates the policy, and writes the member, its lookups and its events in one transaction that also
// deletes the marker, on its stamp. It reconciles and does not replay: running it twice, late or in two places does no
// harm.
//
//	facade.go   the types of package record that callers see
//	announce.go numbers of the events that others announce
//	groupname.go  groups as targets, shown under another name
//	publish.go  one publication: what it reads, and what the application has to be told
//	commit.go   its transactions
//	settle.go   the end of a marker of a member of whom there is nothing to tell
//	pass.go     markers that stand for many members
//	policy.go   policies: saving, progress
//	rehearse.go what a policy would change
//	erase.go    erasing a person who has left, with the log
//	seat.go     seats of targets: who has one, who waits, shortages
//	protect.go  the last active members with a target keep it
//	return.go   who takes the place of one who left
//	merge.go    merging two members, and invitations
//	duplicate.go  members who are probably one person
//	account.go  accounts of the application: who has which, import
//	why.go      the reasons of a member's status and assignments
//	assign.go   manual assignments and targets
//	list.go     lists and filters
//	pending.go  memberships and managers that name nobody yet
//	room.go     turns of the publications of one tenant in one process
//	work.go     publishing in the background
//	service.go  policies, caches, reading
package member
