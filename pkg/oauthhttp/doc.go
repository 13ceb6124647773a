// Package oauthhttp serves the token endpoint of OAuth 2.0, with the client credentials grant only (RFC 6749,
// section 4.4):
//
//	POST /oauth2/{tenant}/token    grant_type=client_credentials [scope=read write]
//
// The client authenticates by HTTP Basic (client_secret_basic), by client_id and client_secret in the body
// (client_secret_post), or by a signed assertion (private_key_jwt, RFC 7523, section 2.2). Answers and errors are
// those of RFC 6749, sections 5.1 and 5.2.
package oauthhttp
