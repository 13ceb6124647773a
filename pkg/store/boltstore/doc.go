// Package boltstore is a store.Engine on one local file, through bbolt: for local runs and for all tests.
//
// It promises what DynamoDB promises and refuses what DynamoDB refuses: the same limits, the same order, the same cost, shown
// by package storetest. A write is acknowledged once it is on disk, so that a process killed at any moment loses none.
// Transactions that wait at the same time share one write to disk.
//
// Idempotency tokens are remembered in memory only: whoever could repeat a call runs in this process and ends with it.
package boltstore
