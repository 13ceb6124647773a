// Package plan narrows a filter (RFC 7644, section 3.4.2.2) to the ids of the resources that can match, by lookups
// alone: of an `and`, what both sides allow; of an `or`, the union where both sides are narrow. What it can't narrow is
// read whole. What a lookup decides for good need not be held against the candidates again.
//
// Filter and schema in, plan out. The lookups are the caller's: nothing is read until a plan is carried out.
package plan
