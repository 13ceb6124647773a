// Package example is a small application behind a SCIM endpoint, as an integrator could write it: it keeps a table of
// its people in step with a tenant's members, through restarts and lost connections. It uses the standard library
// only, and knows of this program no more than docs/integrate.md says.
//
//	table.go   the people and the place in the log of events, in one file that is written as a whole
//	follow.go  the loop: events, applied in order; the list of members if the place is gone
//	client.go  the three requests that it sends
package example
