// Package directory implements the use cases behind the SCIM operations of RFC 7644, section 3, on a tenant's
// users and groups. It turns documents into items of the table and back, keeps names unique, memberships in
// agreement and versions right.
//
// Every write is one transaction, or one transaction that leaves open work. Readers see the change as done from the
// moment it is acknowledged, and a later writer or the background completes it.
//
// Package row stores a resource as an item. Package membership has memberships, open work, and the one place that
// commits.
//
// The files, in the order to read them:
//
//	directory.go   Directory, its options, and the types of requests and answers
//	api.go         the operations on one resource, by its type
//	pipeline.go    how every write of a resource goes: load, edit, refer, rules, operations, commit
//	rule.go        the rules that a write is checked against
//	user.go        the parts of a write that only users have
//	group.go       the parts of a write that only groups have
//	membership_resource.go  memberships as resources: create, read, delete; their ids are in package membershipid
//	read.go        a group with members
//	types.go       a change of resource types, checked against the stored resources
//	erase.go       the end of a tenant
//	people.go      users with their groups, for the messages to the application behind
//
// Lists and searches are in package query. Bulk requests are carried out by package bulk, on top of this one.
package directory
