// Package membershipid is the id (RFC 7643, section 3.1) of a membership: made of the group's id and the member's
// value, so that the membership is found without a search and nothing is kept for it.
//
// It is sealed with the tenant's key, as the value may be a person's name and ids stand in logs, and so that an id
// of one tenant is none of another. The same membership always has the same id: the nonce is a keyed digest of the
// sealed content, which also authenticates it.
package membershipid
