// Package bulk carries out bulk requests (RFC 7644, section 3.7) with the operations of the directory.
//
// A bulk request has the result of carrying out its operations one by one in the order of the request, except that an
// operation that refers to a resource created further down waits for it. Operations that can't affect each other run in
// parallel (order.go finds them, run.go carries them out).
//
// Resources that refer to each other in a circle are created without these references first, and get them afterwards
// by one PATCH each. They are created together or not at all: if one of them fails, those that exist are deleted
// again, and all of their operations fail.
//
// With failOnErrors nothing is written that would not be written one by one. So no operation runs in parallel with
// another that could be the last allowed error. The creation of a user is a single write, which can't begin sooner.
// Only several creations in one transaction would be faster; if that fails, they would have to be repeated one by one.
//
// The data of the operations stays text (facts.go): it is decoded once to find the order, and again while its
// operation is under way, unless all of it together is small.
//
// Repeating a request is safe (memory.go, standing.go). For ten minutes, the same request of the same tenant finds the
// ids that its POST operations got. If a resource is still as the first run left it, its POST counts as done. PUT and
// PATCH are carried out again. If the first run did not complete, a DELETE of a resource that does not exist any more
// also counts as done. Runs of the same request at the same time give the same answer if they complete.
//
// Package directory exports some names for this package alone, which is no part of it because nothing in the directory
// needs bulk requests: CreateAs and ErrCreated, a creation under an id that is known before and can be repeated;
// ResourceKey and VersionOf, which read the versions of resources in the call that reads the item of the request;
// Going, which names the references that are about to be removed; Options, Store and Retry, for the one item in which a
// request is remembered.
package bulk
