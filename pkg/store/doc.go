// Package store is the port to the storage of serverless-scim, and what every engine behind it shares.
//
// Engine is what storage implements: items by key, ranges of one partition, conditional transactions, in the terms and
// within the limits of DynamoDB. Store, on top of an Engine, is what the rest of the program uses: it splits what is
// too large for one call, retries what may be retried and makes repeated transactions safe. TenantStore is a Store that
// cannot leave one tenant's partitions. The whole table is in keys.go; sizes and prices are in size.go, limits in
// limits.go.
//
// The package knows keys and bytes, not SCIM.
package store
