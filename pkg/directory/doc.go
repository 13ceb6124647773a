// Package directory is what a tenant's users and groups can do: the use cases behind the SCIM operations of RFC 7644
// section 3. It turns documents into items of the table and back, keeps names unique, memberships in agreement and
// versions right, and plans filters and pages.
//
// Every write is one transaction, or one transaction that leaves open work behind: from the moment it is acknowledged
// it has happened, and whoever comes next completes it.
//
// How a resource is an item is in package row; memberships, open work, and the one place that commits, in package
// membership.
//
// The files, in the order to read them:
//
//	directory.go   Directory, its options, and the types of requests and answers
//	api.go         the operations on one resource, by its type
//	pipeline.go    how every write of a resource goes: load, edit, refer, rules, operations, commit
//	rule.go        the rules that a write is held against
//	user.go        what is particular to users
//	group.go       what is particular to groups
//	membership_resource.go  memberships as resources: create, read, delete
//	read.go        a group with members
//	types.go       a change of resource types, held against what is stored
//	erase.go       the end of a tenant
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
//	again.go       rows held against the filter once more, as of one moment
//	collect.go     the rows that a page needs, of all that are found
//	attach.go      groups and members of the rows
//	trim.go        rows without what the answer does not show
//	cursor.go      where a page begins and the next goes on: by cursors
//	mark.go        the same by start index
//	explain.go     what a query would do, in words
//
// Lists of memberships as resources of their own. Their ids are in package membershipid:
//
//	membership_list.go      lists
//	membership_walk.go      all memberships of one group, or of all groups
//
// Bulk requests are carried out by package bulk, on top of this one.
package directory
