// Package event names the things that happen to tenants, and announces them for the log of a tenant. Of a tenant it
// knows the id only. Whoever changes something makes the writes of its events with Append, and puts them into the
// transaction of the change: an event is there if and only if its change is. Package eventlog has the log, package
// delivery those who follow it.
package event
