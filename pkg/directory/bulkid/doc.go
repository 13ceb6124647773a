// Package bulkid is what a body says by bulkId about resources that the same bulk request creates (RFC 7644, section
// 3.7.2): it finds such references, puts ids in their place, and parts a document into what has them and what has not.
//
// Documents in, documents out: which bulkId is which resource, and in which order they are made, is up to the caller.
package bulkid
