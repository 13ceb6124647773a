// Package dynamostore is the store.Engine on Amazon DynamoDB, through aws-sdk-go-v2.
//
// An item of the port is an item of the table: PK and SK are its key attributes "pk" and "sk", both strings, and each
// attribute beside them is a string (S), a number (N) or binary (B). There is no secondary index: every read is
// strongly consistent.
//
// A call of the port is exactly one call of DynamoDB, except CreateTable. The client must not retry by itself, because
// store.Store does so within the time of the whole request and with one idempotency token. NewClient makes such a
// client.
package dynamostore
