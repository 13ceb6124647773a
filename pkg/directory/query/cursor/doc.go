// Package cursor gives the places at which the pages of a list begin and end: by which keys resources are sorted
// (RFC 7644, section 3.4.2.3), at which place each stands, and how a cursor (RFC 9865) tells a client the place
// that the next page goes on from.
//
// Nothing is kept of a cursor. It is sealed with the tenant's key, so that a client can neither read it nor make
// one, and bound to the tenant and the query, so that it continues nothing else.
package cursor
