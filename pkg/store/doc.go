// Package store is the port to the storage of serverless-scim, with the code that all engines behind it share.
//
// Storage implements the interface Engine: items by key, ranges of one partition, and conditional transactions, in
// the terms and within the limits of DynamoDB. The rest of the program uses Store, on top of an Engine: it splits
// a request that is too large for one call, retries failed calls if that is safe, and makes repeated transactions
// safe. TenantStore is a Store that cannot leave one tenant's partitions.
//
//	keys.go          the whole table: the keys of every kind of item
//	memberkeys.go    the keys of members, targets, policy and guard
//	limitkeys.go     the keys of a tenant's rate and walk limits
//	deliverykeys.go  the keys of webhooks and deliveries
//	provkeys.go      the keys of the provisioning log
//	setupkeys.go     the keys of set-up links
//	oncekeys.go      the key of a request with an Idempotency-Key
//	engine.go        Engine, and the terms of its calls
//	store.go         Store: splits, and tries again
//	retry.go         when and how often a call is tried again
//	tenant.go        TenantStore: one tenant's partitions only
//	tx.go            Tx: a transaction whose conditions have meanings
//	hold.go          Hold: no write before a wait is over
//	under.go         keys under many prefixes
//	inflight.go      Reserve: how many bytes are under way at a time
//	limits.go        the limits of an engine
//	size.go          sizes of items
//	cost.go          the units that calls consume
//
// The package knows keys and bytes, not SCIM.
package store
