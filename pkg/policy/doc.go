// Package policy applies the policies that tenants have saved to the requests of their identity providers: which
// requests are forbidden, which values they must leave, and which are counted by the guard.
//
// The tenant's item names the policy by a digest of its document. So a request learns from the one read of its tenant
// that there is none, or that this process has compiled it before; else it reads the document once. A policy holds from
// the next request on, in every process.
//
//	policy.go  the digest, and compiled policies by digest
//	rules.go   what is asked about requests: directory.Rules
package policy
