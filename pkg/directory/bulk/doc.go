// Package bulk carries out bulk requests (RFC 7644, section 3.7) with the operations of the directory.
//
// A bulk request has the result of carrying out its operations one by one in the order of the request, except that an operation that refers
// to a resource created further down waits for it. What can't affect each other runs in parallel (order.go says what can, run.go does it).
//
// Resources that refer to each other in a circle are created without these references first, and get them afterwards by one PATCH
// each. They are created together or not at all: if one of them fails, those that exist are deleted again, and all of
// their operations fail.
//
// Repeating a request is safe (memory.go, standing.go): for ten minutes after it, the same request by the same tenant knows the ids that its
// POST operations were given, and one whose resource is still as the first run left it counts as done. PUT and PATCH are carried out
// again. Where the first run did not come to its end, a DELETE of what is not there any more counts as done as well. Runs of the same
// request at the same time give the same answer.
package bulk
