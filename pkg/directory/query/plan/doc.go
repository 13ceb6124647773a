// Package plan says how a filter (RFC 7644, section 3.4.2.2) is answered, before any resource is read.
//
// Scope takes out the parts of a filter that are the same for all resources of a type, so that `meta.resourceType eq
// "Group"`, or a lookup by userName across all types, does not read resources that can't match, and `id pr` is a list
// of all. Its results are true, false and unknown: a part that is unknown until a resource is read stays in the filter.
//
// Planner narrows the rest to the ids of the resources that can match, by lookups alone: of an `and`, the ids that both
// sides allow; of an `or`, the union if both sides are narrow. If it can't narrow the filter, all resources are read.
// The result of a lookup is true for the moment when it was read, so the resources found are tested against the whole
// filter again.
//
// The input is a filter and a schema, the output a plan. The caller has the lookups: nothing is read until a plan is
// carried out.
package plan
