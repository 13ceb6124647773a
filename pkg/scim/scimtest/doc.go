// Package scimtest judges a SCIM server from outside, over HTTP: conversations of real identity providers with the answers
// that they need (RunDialogue), the observable behaviours that RFC 7643 and RFC 7644 ask for (RunBehaviours), hostile input
// (RunHostile), the wall between tenants (RunIsolation) and races (RunRaces).
//
// Every suite takes a Target: the base URL of a tenant and a token, reached over the network or in process. The suites know
// nothing of the server's code, so that they judge any server that can make a fresh tenant.
package scimtest
