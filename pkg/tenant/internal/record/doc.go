// Package record has the values that a tenant consists of, and all that follows from them alone: the item that they are
// stored in, settings and their limits, tokens and clients as callers see them, the form of secrets and of access
// tokens. It reads nothing and writes nothing: what a change has to write beside the item is collected in Record.Out.
//
// Package tenant shows the types that callers need under the same names.
//
//	record.go      a tenant as its item: what every other file reads and changes
//	tenant.go      Tenant, as others see it
//	fields.go      what a merge patch changes
//	settings.go    what can be set
//	limits.go      how many requests a tenant may send
//	policy.go      what can be set about tokens and notices
//	token.go       a token's value
//	client.go      an OAuth client and its credentials
//	clientends.go  the ends of clients' secrets
//	proof.go       a client proves who it is
//	access.go      an access token, made and checked
//	steps.go       the steps of package rotation, noted with their events and notices
//	outbox.go      events and notices, written with the change that they are about
//	errors.go      what the methods of package tenant return
package record
