// Package policies keeps the policies of tenants, compiles them, and says how far they are applied.
//
//	tenant.go    what publishing needs to know of a tenant
//	policy.go    reading, saving and checking a policy; its progress
//	compiled.go  compiled policies and matched groups, kept by a process
package policies
