// Package boltstore is a store.Engine on one local file, through bbolt: for local runs and for all tests.
//
// It has DynamoDB's guarantees and refuses the same calls. The limits, the order and the cost are the same; package
// storetest shows that. A write is acknowledged after it is on disk, so that a process killed at any moment loses no
// acknowledged write. Transactions that wait at the same time share one write to disk.
//
// Items that have expired (store.AttrTTL) are removed by later writes, a few with each: the bucket of expiry times
// finds them.
//
// If there is no space on the disk, a write fails with store.ErrFull and has written nothing. If bbolt meets a page
// that it has not written, the call fails with store.ErrDamaged, and so do all later writes. An empty file is taken for
// a new store only if no file ".made" beside it says that it held data.
//
// Idempotency tokens are remembered in memory only: the callers that could repeat a call run in this process and
// end with it.
package boltstore
