// Package counter counts the resources of each type, so that the total of a list (RFC 7644, section 3.4.2) and the page
// that begins at any index of it are found without reading the list.
//
// A type's resources are counted in shards, so that parallel creates seldom meet on one item. A shard counts the
// ids from the one that it is named after to the name of the next: so the counters say as well at which place of
// the list an id stands, but for the ids between it and the beginning of its shard. Random UUIDs fill 64 shards
// evenly, whose items one read unit holds.
package counter
