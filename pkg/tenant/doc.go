// Package tenant keeps the tenants of a deployment: one per customer organisation, each with a SCIM endpoint, an
// identity provider profile, settings and bearer tokens (RFC 6750, RFC 7644 section 2).
//
// A tenant is one item of at most 4 KB in the table. Every SCIM request reads it, strongly consistent, so that a
// revocation or a switch takes effect at the next request. The caches of a process never replace that read. One holds
// the decoded form of the same bytes (decoded.go). The other holds who was authenticated last (recall.go): a request
// starts its other reads with it while the tenant is read, and discards them if the tenant has changed. The item has
// the SHA-256 digests of the tokens. The tokens themselves are in a vault (Secrets), which no SCIM request reads.
//
// Creating a tenant and creating a token take more than one write. Both first write a reservation, then put the value
// into the vault, then commit. A process that dies in between leaves a reservation without a digest. It authenticates
// nobody and expires after a minute; the next attempt then replaces it. Deleting is one transaction that marks the
// tenant. Finish removes the rest once the directory is empty, and may be repeated from any point.
//
// All logic that needs only the values of a tenant is in internal/record, which is pure. This package reads, lets it
// decide, and writes. The files, in reading order. The base of all others:
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
// Authentication:
//
//	authenticate.go  the sender of a request is authenticated
//	decoded.go       the cache of decoded tenants
//	recall.go        the cache of authenticated senders
//	touch.go         the time of last use of a token
//
// Tokens and the vaults that keep their values:
//
//	tokens.go        tokens are listed, revoked, revealed
//	issue.go         a token is made
//	secrets.go       the port to vaults
//	tablesecrets.go  a vault for local runs
//
// OAuth clients, which internal/oauth implements (assertions are in assertion):
//
//	clients.go  the methods of Service about them
//
// Due work and notifications. Package internal/rotation, which is pure, decides about them:
//
//	due.go        the order of due times of tenants
//	rotate.go     a run over all that is due
//	advance.go    a run over one tenant: the steps of package rotation, carried out
//	announce.go   the input of the decisions
//	rotation.go   a rotation by hand
//	delivery.go   the function that sends a notice
//	deliver.go    notices are sent; the facts for their texts
//	report.go     a change by another package, with its events and notices
package tenant
