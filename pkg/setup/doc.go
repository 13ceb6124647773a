// Package setup makes set-up links, by which an operator lets a customer's administrator into the pages of one tenant,
// and the sessions that they are redeemed for.
//
// A link is one item, with digests of its codes and of its session's secret: a read of the table gives nobody access.
// It is redeemed once, by a conditional write, so its session needs no item of its own, and whoever revokes the link
// ends the session by the same write. The id of a link begins with the tenant's, and so does the cookie: nothing leads
// from one tenant to another.
package setup
