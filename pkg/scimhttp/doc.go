// Package scimhttp serves the SCIM protocol (RFC 7644) over HTTP: it turns requests into calls of package directory
// and their results into answers.
//
// A request goes path -> token and tenant -> route -> scope -> body -> directory -> projection -> answer. Its
// tenant is authenticated before its body is read. Every error is written at one place (failure.go), as a SCIM
// error (RFC 7644, section 3.12).
//
//	handler.go      a request from its arrival to its answer
//	auth.go         token and tenant, and the first reads beside them
//	route.go        paths, methods and scopes
//	body.go         the body of a request
//	query.go        the parameters of a query
//	search.go       the same in a SearchRequest
//	page.go         a page of resources
//	resources.go    the operations on resources
//	bulk.go         a BulkRequest and its results
//	condition.go    entity tags
//	prefer.go       the answer to a change, and its preconditions
//	discovery.go    ServiceProviderConfig, ResourceTypes, Schemas
//	document.go     their answers, encoded once
//	answer.go       answers and their headers
//	gzip.go         compression
//	failure.go      errors and the log
//	journal.go      requests in the provisioning log
package scimhttp
