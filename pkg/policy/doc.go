// Package policy applies the policies that tenants have saved to the requests of their identity providers: which
// requests are forbidden, which values a user must have after a write, and which requests the guard counts.
//
// The tenant's item names the policy by a digest of its document. So the one read of the tenant shows a request that
// there is no policy, or that this process has compiled it before; otherwise the request reads the document once. A
// policy takes effect at the next request, in every process.
//
//	policy.go  the digest, and compiled policies by digest
//	rules.go   the answers about requests: directory.Rules
package policy
