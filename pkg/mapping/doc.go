// Package mapping decides a person's access to the application: from a tenant's policy and the facts about one user
// it computes assignments, a status and the fields that the application sees.
//
// It is pure: no I/O, no clock, no random numbers. The same policy and the same facts give the same result, in any
// order of the facts.
//
//	policy.go    the policy document: its fields, defaults and limits
//	read.go      strict reading of the document; every fault has a JSON pointer and a reason
//	sentence.go  the reasons of faults and warnings, by codes that stand for them in any language
//	compile.go   rules with bound filters, patterns and templates
//	condition.go conditions on users and groups
//	template.go  templates such as "${org}"
//	path.go      SCIM paths and the values that they find in a user
//	group.go     the targets that the rules give for a group; computed once per group version and policy
//	facts.go     the facts about a user: groups, manual assignments, targets
//	evaluate.go  facts to result
//	limit.go     the assignments that a member can have at most
//	choose.go    the choice of one target, for kinds that allow a member one target
//	person.go    login address, e-mail, attributes
//	requests.go  the part of a policy about requests of identity providers
//	warn.go      contradictions in a policy that is valid all the same
//	preset.go    complete policies for known products
//
// The caller computes Policy.Group for each group of a user, reads the targets that Policy.Needs names, and calls
// Policy.Evaluate. Conditions are SCIM filters (RFC 7644, section 3.4.2.2), patterns are RE2.
package mapping
