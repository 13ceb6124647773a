// Package rotation decides what is due of a tenant's tokens, and of its clients' secrets as far as they end: when a
// successor is made, what people are told, what a vault forgets. It is pure: Decide takes the state that is stored with
// the tenant and a situation, and returns steps. Package tenant carries them out.
//
//	token.go      a token as it is stored, and the state of a tenant's tokens
//	scope.go      scopes, states, vaults
//	due.go        which token takes the place of which, and when something is due
//	successor.go  which successor is told of
//	ending.go     the ends of tokens and secrets, and the milestones before
//	decide.go     the steps that are due
package rotation
