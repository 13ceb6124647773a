// Package assertion reads the public keys of OAuth 2.0 clients (JSON Web Key Sets, RFC 7517) and verifies the JSON Web Tokens with which
// they say who they are: RFC 7523, section 3, signed with RS256 or ES256 (RFC 7518). It is pure: no I/O, no clock.
package assertion
