// Package cursor gives the places at which the pages of a list begin and end: the keys by which resources are sorted
// (RFC 7644, section 3.4.2.3), the place of each resource in that order, and the cursors (RFC 9865) that name the place
// at which the next page begins.
//
// Cursors are not stored. A cursor is sealed with the tenant's key, so that a client can neither read it nor make one.
// It is bound to the tenant and the query, so that it can't continue another list.
package cursor
