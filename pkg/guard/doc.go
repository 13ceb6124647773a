// Package guard bounds the number of users that an identity provider deactivates or deletes within some minutes
// (requests.guard of the policy). A mistake at the identity provider, such as an assignment that was removed from
// everybody, then reaches a few people and not all.
//
// One item of the tenant has the numbers, by spans of minutes, and whether the guard has tripped. A request that
// deactivates or deletes a user writes the new numbers in its own transaction, conditional on the version that it has
// read. So no more requests pass than allowed, for any number of requests at once. An item for each counted user, which
// expires, makes a user count once. No other request reads or writes these items.
//
//	guard.go  the check of a request, and the trip
//	count.go  the numbers, and when they are too high
//	decide.go the state of the guard, and the decision of a person
package guard
