// Package directory is what a tenant's users and groups can do: the use cases behind the SCIM operations of RFC 7644
// section 3. It turns documents into items of the table and back, keeps names unique, memberships in agreement and
// versions right, and plans filters and pages.
//
// Every write is one transaction, or one transaction that leaves open work behind (work.go): from the moment it is
// acknowledged it has happened, and whoever comes next completes it.
//
// The files, in the order to read them. What every operation rests on:
//
//	directory.go   Directory, its options, and the types of requests and answers; writes that compete try again
//	api.go         the operations on one resource, by its type
//	pipeline.go    how every write of a resource goes: load, edit, refer, rules, operations, commit
//	write.go       a transaction, the one place where it is committed, and the rules that it is held against
//	record.go      a resource as an item of the table; ids, versions, If-Match
//	index.go       the items by which resources are looked up
//	types.go       a change of resource types, held against what is stored
//	erase.go       the end of a tenant
//
// Resources:
//
//	user.go        what is particular to users
//	group.go       what is particular to groups
//	unique.go      values that an operator wants unique
//
// Changes of members and references, small and large:
//
//	membership.go  who the values of a request name, and which memberships it changes
//	stage.go       what one membership writes
//	references.go  references that wait for the user whom they name
//	work.go        open work: what a committed write still has to bring about, and who does it
//	large.go       a change of members that is larger than one transaction
//	resolve.go     what waits for a user who has arrived
//
// Reading a resource under open work:
//
//	overlay.go     what open work says about members and groups
//	read.go        a user with groups, a group with members
//	members.go     the members of a group on their way out
//
// Lists and searches. What a filter decides alone is in package simplify, how lookups narrow it in plan, the order of
// results in cursor, their number in counter:
//
//	search.go      a query taken apart by resource types
//	planner.go     which lookups there are for which type
//	lookup.go      the lookups
//	among.go       which of few resources have a membership
//	sort.go        the order that a query asks for
//	list.go        a page, from the partition or from candidates
//	scan.go        a page of what nothing narrows
//	collect.go     the rows that a page needs, of all that are found
//	attach.go      groups and members of the rows
//	trim.go        rows without what the answer does not show
//	cursor.go      where a page begins and the next goes on: by cursors
//	mark.go        the same by start index
//	explain.go     what a query would do, in words
//
// Memberships as resources of their own. Their ids are in package membershipid:
//
//	membership_resource.go  create, read, delete
//	membership_list.go      lists
//	membership_walk.go      all memberships of one group, or of all groups
//
// Bulk requests are carried out by package bulk, on top of this one.
package directory
