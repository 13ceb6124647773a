// Package diagnosis says what an administrator has to change at the identity provider: from what it sends, which the
// provisioning log has, and from what is stored.
//
//	diagnosis.go  findings, and the texts of them
//	situation.go  what is looked at
//	traffic.go    what is found in requests
//	state.go      what is found in users, groups and members
//	stale.go      attributes that may be left over
//	texts         the texts, one file a language
package diagnosis
