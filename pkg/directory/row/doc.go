// Package row is a user, a group or a resource of another type as an item of the table: its document, version and
// times, the items by which it is looked up, and those that make its values unique.
//
//	resource.go  Tenant and Resource: for whom, and the answer
//	record.go    the item; ids, versions, If-Match
//	display.go   the name by which it is shown, without decoding it
//	index.go     the items by which resources are looked up
//	unique.go    values that an operator wants unique
package row
