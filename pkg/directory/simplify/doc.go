// Package simplify takes out of a filter (RFC 7644, section 3.4.2.2) what is the same for all resources of a type, so
// that `meta.resourceType eq "Group"`, or a look-up by userName across all types, does not read what can't match, and
// `id pr` is a list of all. It decides in three values: what is not known before a resource is looked at stays in the
// filter.
//
// Filter and schema in, filter out: nothing is read.
package simplify
