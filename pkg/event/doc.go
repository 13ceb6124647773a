// Package event names the things that happen to tenants, and announces them for the log of a tenant. It knows only the
// id of a tenant. Code that changes something makes the writes of the events with Append, and puts them into the
// transaction of the change: an event exists if and only if its change was made. Package eventlog has the log, package
// delivery sends it to destinations.
package event
