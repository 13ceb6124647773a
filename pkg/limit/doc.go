// Package limit bounds the requests of each tenant, over all processes, so that one tenant's storm does not reach the
// others.
//
// Time is cut into windows. A tenant may send Burst requests in each window, and windows are so long that Rate requests
// a second is the mean. Requests are counted in an item of the window, in portions: a process leases one tenth of the
// burst at a time with one write, and gives it out by itself. The first portion of each window is free of any write, so
// a quiet tenant pays nothing. Over all processes a tenant can so exceed its burst by one portion a process.
//
// A walk over all documents of a tenant, such as a filter without an index needs, takes one of a few places as well. A
// place that its process never gave back is free again after a minute.
//
//	rate.go    rates, and the operator's bounds
//	limit.go   windows and leases
//	walk.go    the places of walks
//	sender.go  wrong tokens, by the address that they come from
package limit
