// Package transfer writes one tenant to a file and reads it into a table, the same or another one, under the same or
// another id. It works on tables, not by requests: an export then is as quick as the table, and needs nobody's token.
//
// The file is lines of JSON: a header, an item a line, and a trailer with the number of items and the SHA-256 of all
// lines before it. Keys of items are without the tenant's id; the ids of resources stay the same.
//
//	{"format":"serverless-scim-tenant","version":1,"tenant":"acme","layout":1,"at":"…"}
//	{"p":"U","k":"2819c223-…","a":{"doc":"…","ver":{"n":"3"}}}
//	{"items":814,"sha256":"…"}
//
// An export reads partition by partition, beside the tenant's requests: each resource is as it was at some moment of
// the export. The import therefore ends with a doctor, who makes lookups, memberships and counters follow from the
// documents. Switch the tenant off first if the file must show one moment.
//
// An import checks the whole file before it writes anything. It creates the tenant in the state "creating", in which it
// does not exist for anybody, writes the items, and last makes it active, switched off. The item IMPORT of the tenant
// says which file it is and how far the import is: killed anywhere, the same call goes on. An import that nobody goes
// on with is cleared away an hour after its last step, as any tenant whose making was abandoned.
//
// A file holds no secret unless that is asked for: the key that the ids of memberships are sealed with, and the plain
// tokens of local runs. They are one line then, which only the holder of the key that is given can read. Values of
// tokens in AWS Secrets Manager are in no file; nor are webhooks, whose secrets can't move, set-up links, and messages
// on their way out: notices, and events that the bus does not have yet.
package transfer
