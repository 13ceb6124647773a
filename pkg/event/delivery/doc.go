// Package delivery takes a tenant's log of events to those who follow it: in order, at least once, each destination at
// its own pace.
//
// For each destination and tenant one item of the table says how far the destination has got the log, and the result of
// the last attempts. A worker reads the events behind that position, takes a lease on the item, hands the events over,
// and stores the new position in one conditional write. If it dies between the two, the lease ends and the events come
// again. The conclusion from an attempt is a pure function, decide.
//
// A wake-up says that a tenant's log has grown. It may come twice or late. A worker that finds an item leased leaves
// it alone: the holder of the lease reads the log once more after it has given the lease back, so it sees the new
// events. Failed destinations are listed in the order of their next attempts, for the run of every minute.
package delivery
