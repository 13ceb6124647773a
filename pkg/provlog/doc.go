// Package provlog is the provisioning log of a tenant: what its identity provider asked, what came of it, and what the
// operator's API changed; and how many requests there were.
//
//	entry.go     an entry, stored and as the admin API shows it
//	journal.go   a request on its way into the log
//	refused.go   what is kept of refused requests, and how many
//	redact.go    request bodies without secrets and personal data
//	idp.go       which identity provider sends like this
//	counts.go    requests by day, hour, operation and outcome
//	activity.go  the counts as the admin API shows them
//	list.go      pages of entries by a filter
//	erase.go     a person out of the entries
//
// An entry of a change is part of the change's own transaction, so it is there if and only if the change is. An entry
// of a refused request is one write before the answer; if it fails, the answer stays what it is and the entry is
// counted as lost. Counts are kept in the process and written beside a request at most every ten seconds: a process
// that dies loses what it has counted since.
package provlog
