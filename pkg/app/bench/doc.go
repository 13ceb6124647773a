// Package bench measures the cost of operations, in engine calls, DynamoDB units, allocations, time and dollars,
// and how that grows with the tenant and with the group: `functions/local bench`. It fills tenants of several
// sizes, and sends each request to all of them in turn, so that other load of the machine falls on all sizes
// alike. Requests go through the whole server without a network. With -clients, many clients send requests at once
// over HTTP, and it measures the answers per second.
package bench
