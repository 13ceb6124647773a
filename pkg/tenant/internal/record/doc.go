// Package record has the values of a tenant and all logic that needs only them: the stored item, settings and their
// limits, tokens and clients as callers see them, the form of secrets and of access tokens. It reads and writes
// nothing: Record.Out collects the other writes of a change of the item.
//
// Package tenant exports the types that callers need under the same names.
//
//	record.go      a tenant as its item, which every other file reads and changes
//	tenant.go      Tenant, as others see it
//	fields.go      the fields that a merge patch changes
//	settings.go    the settings of a tenant
//	limits.go      how many requests a tenant may send
//	policy.go      the settings of tokens and notices
//	token.go       a token's value
//	client.go      an OAuth client and its credentials
//	clientends.go  the ends of clients' secrets
//	proof.go       a client proves who it is
//	access.go      an access token, made and checked
//	steps.go       the steps of package rotation, noted with their events and notices
//	outbox.go      events and notices, written with the change that they are about
//	errors.go      the errors of the methods of package tenant
package record
