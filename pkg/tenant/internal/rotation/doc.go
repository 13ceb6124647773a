// Package rotation decides about the due work for a tenant's tokens, and for the ends of its clients' secrets: the
// successor to make, the notices to send, the values to remove from a vault. It is pure: Decide takes the state that
// is stored with the tenant and a situation, and returns steps. Package tenant carries them out.
//
//	token.go      a token as it is stored, and the state of a tenant's tokens
//	scope.go      scopes, states, vaults
//	due.go        the token that replaces another one, and the times of due work
//	successor.go  the successor that a notice names
//	ending.go     the ends of tokens and secrets, and the milestones before
//	decide.go     the steps that are due
package rotation
