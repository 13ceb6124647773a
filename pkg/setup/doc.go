// Package setup creates set-up links, which let a customer's administrator into the pages of one tenant, and the
// sessions that begin when a link is redeemed.
//
// A link is one item, with digests of its codes and of its session's secret: a read of the table gives nobody access.
// It is redeemed once, by a conditional write. So its session needs no item of its own, and revoking the link ends the
// session in the same write. The id of a link and the cookie begin with the tenant's id, so that neither works for
// another tenant.
package setup
