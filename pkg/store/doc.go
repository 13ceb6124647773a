// Package store is the port to the storage of serverless-scim, and what every engine behind it shares.
//
// Engine is what storage implements: items by key, ranges of one partition, conditional transactions, in the terms and
// within the limits of DynamoDB. Store, on top of an Engine, is what the rest of the program uses: it splits what is
// too large for one call, retries what may be retried and makes repeated transactions safe. TenantStore is a Store that
// cannot leave one tenant's partitions.
//
//	keys.go          the whole table: the keys of every kind of item
//	memberkeys.go    the keys of members, targets, policy and guard
//	limitkeys.go     the keys of what bounds a tenant
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
//	cost.go          what calls consume
//
// The package knows keys and bytes, not SCIM.
package store
