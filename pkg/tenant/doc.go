// Package tenant keeps the tenants of a deployment: one per customer organisation, each with a SCIM endpoint, an identity
// provider profile, settings and bearer tokens (RFC 6750, RFC 7644 section 2).
//
// A tenant is one item of at most 4 KB in the table, read strongly consistently by every SCIM request and never cached, so that a
// revocation or a switch holds from the next request on. The item has the SHA-256 digests of the tokens; the tokens
// themselves are in a vault (Secrets), which no SCIM request reads.
//
// Two things here take more than one write: making a tenant and making a token. Both reserve first, then put the value into
// the vault, then commit. Whoever dies in between leaves a reservation without a digest, which authenticates nobody and is
// void after a minute; the next attempt takes its place. Deleting is one transaction that marks the tenant; Finish removes
// what is left once the directory is empty, and may be repeated from any point.
package tenant
