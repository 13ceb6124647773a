// Package bulkid handles references by bulkId to resources that the same bulk request creates (RFC 7644, section
// 3.7.2): it finds them in a body, puts ids in their place, and splits a document into the values with such
// references and those without.
//
// It works on documents only. The caller decides which resource each bulkId names, and in which order resources are
// created.
package bulkid
