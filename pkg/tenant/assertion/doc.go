// Package assertion reads the public keys of OAuth 2.0 clients (JSON Web Key Sets, RFC 7517) and verifies the JSON Web
// Tokens that prove a client's identity: RFC 7523, section 3, signed with RS256 or ES256 (RFC 7518). Parsing and
// signatures are go-jose's; the rules for keys and claims are here. It is pure: no I/O, no clock.
package assertion
