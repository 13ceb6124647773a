// Package transfer writes one tenant to a file and reads it into a table, the same or another one, under the same or
// another id. It works on tables and sends no requests: so an export is as quick as the table, and needs no token.
//
// The file is lines of JSON: a header, an item a line, and a trailer with the number of items and the SHA-256 of all
// lines before it. Keys of items are without the tenant's id; the ids of resources stay the same.
//
//	{"format":"serverless-scim-tenant","version":1,"tenant":"acme","layout":1,"at":"…"}
//	{"p":"U","k":"2819c223-…","a":{"doc":"…","ver":{"n":"3"}}}
//	{"items":814,"sha256":"…"}
//
// An export reads the partitions in turns, while the tenant may be in use: each resource is as it was at some moment of
// the export. The import therefore ends with a run of doctor, which makes lookups, memberships and counters follow from
// the documents. Switch the tenant off first if the file must show one moment.
//
// An import checks the whole file before it writes anything. It creates the tenant in the state "creating", in which it
// does not exist for anybody, writes the items, and last makes it active, switched off. The item IMPORT of the tenant
// has the digest of the file and the progress: if the import is killed, the same call continues it. An import that
// nobody continues is deleted an hour after its last step, like any tenant whose creation was abandoned.
//
// A file has no secret by default. On request it has the key with which the ids of memberships are sealed, and the
// plain tokens of local runs: one line, encrypted for a given key. Values of tokens in AWS Secrets Manager are in no
// file; nor are webhooks, whose secrets can't move, set-up links, and messages on their way out: notices, and events
// that the bus does not have yet.
package transfer
