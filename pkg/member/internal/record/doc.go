// Package record has the values that members are made of, as they are stored and as JSON, and reads them: it evaluates
// no policy and publishes nothing.
//
//	member.go    a member, its JSON and its stored form; how long it is shown after it was removed
//	attr.go      the attributes of items
//	lookup.go    the items by which members are found
//	list.go      filters on members, and pages of those who pass
//	read.go      members by their ids
//	diff.go      the events that lead from one published member to the next
//	target.go    targets, which can be assigned to members
//	key.go       keys of targets: order, joined form
//	waiting.go   a place in the queue for a seat
//	match.go     the values by which a person is found again
//	duplicate.go members who are probably one person
//	account.go   the application's own record of a person
//	refused.go   errors of requests
package record
