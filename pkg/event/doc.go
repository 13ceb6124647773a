// Package event takes what happened to tenants out of the program. Each change is written together with its event, in
// one transaction (package tenant keeps them until they are delivered); here it gets its envelope and goes to a Sink.
// Delivery is at least once: receivers know an event again by tenant and id. The events of a tenant are handed over in
// order; a sink may pass them on in another one. Ids of a tenant sort in the order in which things happened.
package event
