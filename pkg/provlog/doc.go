// Package provlog is the provisioning log of a tenant: the requests of its identity provider with their results, the
// changes by the operator's API, and the number of requests.
//
//	entry.go     an entry, stored and as the admin API shows it
//	journal.go   a request on its way into the log
//	refused.go   the entries of refused requests, and their limit
//	redact.go    request bodies without secrets and personal data
//	repeats.go   requests that change nothing, each listed once an hour
//	idp.go       which identity provider sends like this
//	counts.go    requests by day, hour, operation and outcome
//	activity.go  the counts as the admin API shows them
//	list.go      pages of entries by a filter
//	operator.go  the operator's log: requests to the admin API that are of no tenant
//	erase.go     a person out of the entries
//
// The entry of a change is part of the change's own transaction, so it exists if and only if the change was made. The
// entry of a refused request is one write before the answer; if it fails, the answer stays the same and the entry is
// counted as lost. A request that changes nothing is also one write before the answer; the same request within an hour
// is only counted. Counts are kept in the process, and written together with a request at most every ten seconds: a
// process that dies loses its counts since then, one that is stopped with Close loses none.
package provlog
