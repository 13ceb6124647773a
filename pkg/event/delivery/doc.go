// Package delivery sends a tenant's log of events to its destinations: in order, at least once, each destination at its
// own pace.
//
// For each destination and tenant one item of the table has the position, up to which the destination has got the log,
// and the results of the last attempts. A worker reads the events after that position, takes a lease on the item, sends
// the events, and stores the new position in one conditional write. If it dies between the last two, the lease expires
// and the events are sent again. The conclusion from an attempt is a pure function, decide.
//
// A wake-up says that a tenant's log has grown. It may come twice or late. A worker that finds an item leased leaves
// it alone: the holder of the lease reads the log once more after it has given the lease back, so it sees the new
// events. Failed destinations are listed in the order of their next attempts, for the run of every minute.
package delivery
