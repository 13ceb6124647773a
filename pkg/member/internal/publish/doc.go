// Package publish brings the members that an application knows up to date with the directory and the policy.
//
//	publisher.go  a Publisher and its options
//	work.go       publishing marked members, in the background
//	turns.go      turns of the publications of one tenant in one process
//	announce.go   numbers of the events that others announce
//	publish.go    one publication: its reads, and the changes that the application has to be told
//	load.go       members as published, and their manual assignments
//	commit.go     its transactions
//	settle.go     the end of a marker of a member of whom there is nothing to tell
//	seat.go       who of the members of a publication has a seat, who waits
//	protect.go    the last active members with a target keep it
//	return.go     who takes the place of one who left
//	account.go    which account of the application a member has
//	duplicate.go  members who are probably one person
//	erase.go      erasing a person who has left, with the log
//	examine.go    one member as it is now, and evaluations that write nothing
//	names.go      the names under which targets, groups and managers are shown
//	why.go        reads what the reasons of a member's status and assignments follow from
//	rehearse.go   the changes that a policy would make
package publish
