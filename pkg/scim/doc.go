// Package scim is the vocabulary of SCIM 2.0 (RFC 7643, RFC 7644): URNs, JSON objects in messages and in storage,
// the error that a client gets, and Dialect: the named departures from the RFC that identity providers need.
//
// A JSON object is an Object: a plain map that holds only string, bool, int64, float64, nil, Object and []any.
// ParseObject makes one from a request body, AppendJSON writes one. The packages below this one build on it: schema
// defines the attributes that an object may hold, filter decides which objects a filter matches, patch applies a
// PATCH to an object. None of them does I/O or reads the clock.
package scim
