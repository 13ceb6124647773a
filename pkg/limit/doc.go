// Package limit bounds the requests of each tenant, over all processes, so that a burst of one tenant does not slow
// the others.
//
// Time is divided into windows. A tenant may send Burst requests in each window. The length of a window makes
// PerSecond the mean rate. Requests are counted in an item of the window, in portions: a process leases one tenth of
// the burst with one write, and then admits these requests without a write. The first portion of each process and
// window needs no write, so a tenant with few requests costs nothing. So a tenant can exceed its burst by one portion
// per process.
//
// A walk over all documents of a tenant, such as for a filter without an index, also takes one of a few places. If a
// process never releases its place, it is free again after a minute.
//
//	rate.go    rates, and the operator's bounds
//	limit.go   windows and leases
//	walk.go    the places of walks
//	sender.go  wrong tokens, counted by the address of the sender
package limit
