// Package scimtest tests a SCIM server from outside, over HTTP: conversations of real identity providers with the
// answers that they need (RunDialogue), the observable behaviours that RFC 7643 and RFC 7644 require (RunBehaviours),
// hostile input (RunHostile), the isolation of tenants (RunIsolation) and races (RunRaces). Requirements lists the
// requirements of RFC 7643, RFC 7644 and RFC 9865, each with the tests that show it; RunRequirements runs those that
// the other suites do not have.
//
// Every suite takes a Target: the base URL of a tenant and a token, reached over the network or in process. The suites
// know nothing of the server's code, so that they work with any server that can create a fresh tenant. One tenant is
// enough for
//
//	go test ./pkg/scim/scimtest -run TestURL -v -url https://host/scim/v2/acme -token TOKEN
//
// which deletes the resources that it creates.
package scimtest
