// Package diagnosis finds the mistakes at an identity provider, and explains to an administrator how to correct them
// there. It reads the provisioning log and the stored users, groups and members.
//
//	diagnosis.go  findings, and the texts of them
//	situation.go  the facts that are examined
//	traffic.go    findings about requests
//	state.go      findings about users, groups and members
//	stale.go      attributes that may be left over
//	texts         the texts, one file a language
package diagnosis
