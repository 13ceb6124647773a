// Package define reads and checks the definitions of one tenant: attributes, extensions and resource types that an
// operator adds to those of RFC 7643. It joins them to the resource types of the tenant.
//
//	schema.go          a schema (RFC 7643, section 7)
//	resourcetype.go    a resource type (RFC 7643, section 6)
//	fields.go          the keys of a definition
//	definitions.go     all definitions of a tenant
//	compose.go         the types that come of them
//	migrate.go         whether documents stand a change of them
package define
