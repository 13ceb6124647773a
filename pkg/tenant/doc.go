// Package tenant keeps the tenants of a deployment: one per customer organisation, each with a SCIM endpoint, an
// identity provider profile, settings and bearer tokens (RFC 6750, RFC 7644 section 2).
//
// A tenant is one item of at most 4 KB in the table, read strongly consistently by every SCIM request, so that a
// revocation or a switch holds from the next request on. What a process remembers of earlier requests never replaces
// that read: the decoded form of the same bytes (decoded.go), and who was let in last (recall.go), with which a request
// begins its reads while the tenant is read; it uses nothing of them if the tenant has changed. The item has the
// SHA-256 digests of the tokens; the tokens themselves are in a vault (Secrets), which no SCIM request reads.
//
// Two things here take more than one write: making a tenant and making a token. Both reserve first, then put the value
// into the vault, then commit. Whoever dies in between leaves a reservation without a digest, which authenticates
// nobody and is void after a minute; the next attempt takes its place. Deleting is one transaction that marks the
// tenant; Finish removes what is left once the directory is empty, and may be repeated from any point.
//
// What follows from the values of a tenant alone is in internal/record, which is pure. This package reads, decides by
// it, and writes. The files, in the order to read them. What all the rest rests on:
//
//	facade.go       the types, constants and errors of internal/record that callers see
//	service.go      Service and its options
//	update.go       how a tenant's item is changed
//	reservation.go  a claim on something that takes more than one write
//
// A tenant's life and settings:
//
//	create.go       a tenant is made
//	change.go       it is changed
//	delete.go       it is deleted
//	disconnect.go   all access to it ends
//	list.go         all tenants
//	bounds.go       settings within the operator's bounds
//	schemas.go      a tenant's own schemas and resource types
//
// Who gets in:
//
//	authenticate.go  who sends a request
//	decoded.go       tenants as they were decoded last
//	recall.go        who was let in a moment ago
//	touch.go         when a token was used
//
// Tokens and where their values are kept:
//
//	tokens.go        tokens are listed, revoked, revealed
//	issue.go         a token is made
//	secrets.go       the port to vaults
//	tablesecrets.go  a vault for local runs
//
// OAuth clients, which are in internal/oauth (assertions in assertion):
//
//	clients.go  the methods of Service about them
//
// What is due, and who is told. The decisions are internal/rotation's, which is pure:
//
//	due.go        the order in which tenants are due
//	rotate.go     a run over all that is due
//	advance.go    a run over one tenant: the steps of package rotation, carried out
//	announce.go   the situation that they are decided from
//	rotation.go   a rotation by hand
//	delivery.go   how they leave
//	deliver.go    they leave; the facts for their texts
//	report.go     a change of another package that people are told of
package tenant
