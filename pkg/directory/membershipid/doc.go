// Package membershipid makes the id (RFC 7643, section 3.1) of a membership. It is made of the group's id and the
// member's value, so that the membership is found without a search, and no item is needed for the id.
//
// It is sealed (encrypted and authenticated) with the tenant's key. So logs, which have ids, do not show a value that
// is a person's name, and an id of one tenant is not valid in another. The same membership always has the same id: the
// nonce is a keyed digest of the sealed content, which also authenticates it.
package membershipid
