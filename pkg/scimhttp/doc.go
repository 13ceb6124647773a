// Package scimhttp serves the SCIM protocol (RFC 7644) over HTTP: it turns requests into calls of package directory and what comes
// back into answers.
//
// A request goes path -> token and tenant -> route -> scope -> body -> directory -> projection -> answer. Which tenant it may touch
// is settled before its body is read, and every error goes through one writer (failure.go), as a SCIM error (RFC 7644, section 3.12).
package scimhttp
