// Package scim is the vocabulary of SCIM 2.0 (RFC 7643, RFC 7644): URNs, JSON objects as they travel and as they are
// stored, the error that a client sees, and Dialect, the named departures from the RFC that an identity provider needs.
//
// A JSON object is an Object: a plain map that holds only string, bool, int64, float64, nil, Object and []any.
// ParseObject makes one from a request body, AppendJSON writes one. The packages below this one build on it: schema
// knows what an object may hold, filter what a filter says about it, patch how a PATCH changes it. None of them does
// I/O or asks for the time.
package scim
