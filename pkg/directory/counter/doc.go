// Package counter counts the resources of each type, so that the total of a list (RFC 7644, section 3.4.2) and the page
// that begins at any index of it are found without reading the list.
//
// A type's resources are counted in shards, so that parallel creations rarely write the same item. A shard counts the
// ids from its own name up to the name of the next shard. So the counters also give the index of the first id of each
// shard in the list. Random UUIDs fill the 64 shards evenly. One read unit reads the items of all shards.
package counter
