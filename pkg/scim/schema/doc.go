// Package schema is the attribute model of SCIM (RFC 7643): the characteristics of attributes (section 7), the
// schemas User, Group, EnterpriseUser and those of discovery (section 8.7), and resource types that join them
// (section 6). Package define reads an operator's additions for one tenant: attributes, extensions and resource
// types.
//
// A client's input is normalised once, by ResourceType.Normalize or, for one value of a PATCH, by
// Attribute.Normalize. After that a document is canonical: attributes carry their declared names, values their
// declared types, extension data stands under the extension's URN, and nothing is null or empty. Filters, PATCH,
// storage and answers rely on it. ResourceType.Check reports whether a canonical document may be stored;
// ResourceType.Project returns the part of it that an answer shows.
//
// The files, in the order to read them. Definitions:
//
//	schema.go          attributes, schemas and resource types
//	build.go           how the definitions in Go are written
//	user.go            User and EnterpriseUser
//	group.go           Group, and the resource types User and Group
//	membership.go      memberships of groups
//	discovery.go       the schemas of discovery
//	define.go          a schema made ready for look-ups
//	lookup.go          attributes by the names that clients write
//	representation.go  schemas and resource types as resources
//
// From a body to a document that may be stored:
//
//	normalize.go       a body made canonical
//	value.go           the same for one value
//	open.go            the forms in which clients write one
//	dotted.go          keys that name sub-attributes
//	label.go           values of labels only
//	distinct.go        values that are there twice
//	check.go           whether a document may be stored
//	keep.go            the parts of the old document that a replacement keeps
//	unique.go          values that no two resources may have
//
// From a stored document to an answer:
//
//	projection.go      which attributes an answer shows
//	sent.go            attributes returned on request, because the client has sent them
//	project.go         the part of a document that it shows
//	prune.go           the part that today's definitions know
//
// The types of a tenant:
//
//	types.go           all of them
package schema
