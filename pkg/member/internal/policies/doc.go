// Package policies keeps the policies of tenants, compiles them, and reports the progress of applying them.
//
//	tenant.go    the properties of a tenant that publishing needs
//	policy.go    reading, saving and checking a policy; its progress
//	compiled.go  compiled policies and matched groups, kept by a process
package policies
