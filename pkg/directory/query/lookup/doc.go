// Package lookup finds resources by the items of the table that lead from a value to them: by id, userName, externalId,
// e-mail address, manager, the displayName of a group, unique attributes, and memberships.
//
// A lookup says who had a value at the moment when it was read. Package query tests the resources found against
// the filter.
package lookup
