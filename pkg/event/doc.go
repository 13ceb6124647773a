// Package event is the log of the things that happen to tenants, and takes them out of the program. Of a tenant it
// knows the id only. Whoever changes something makes the writes of its events with Append, and puts them into the
// transaction of the change: an event is there if and only if its change is. Deliver hands the stored events of a
// tenant to a Sink in their order, and removes them. Delivery is at least once: receivers know an event again by tenant
// and id. A sink may pass events on in another order. The ids of a tenant's events sort in the order in which things
// happened.
package event
