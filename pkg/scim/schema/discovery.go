package schema

import (
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// ServiceProviderConfig is the schema of a service provider's configuration (RFC 7643, section 5).
var ServiceProviderConfig = sync.OnceValue(func() *Schema {
	return Define(&Schema{
		ID: scim.ServiceProviderConfigURN, Name: "Service Provider Configuration",
		Description: "What the service provider can do",
		Attributes: readOnlyAttributes(
			ref("documentationUri", "The address of a page that helps people to use the service.", "external"),
			feature("patch", "Whether PATCH is supported."),
			feature("bulk", "Whether bulk requests are supported, and their limits.",
				integer("maxOperations", "The largest number of operations in a bulk request.", required),
				integer("maxPayloadSize", "The largest size of a bulk request, in bytes.", required)),
			feature("filter", "Whether filters are supported, and their limits.",
				integer("maxResults", "The largest number of resources in an answer.", required)),
			feature("changePassword", "Whether a password can be changed."),
			feature("sort", "Whether sorting is supported."),
			feature("etag", "Whether versions are supported."),
			multi("authenticationSchemes", "The ways to authenticate.", []*Attribute{
				str("type", "The kind of the scheme.", required,
					canonical("oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest")),
				str("name", "The name of the scheme.", required),
				str("description", "What the scheme is.", required),
				ref("specUri", "The address of the scheme's specification.", "external"),
				ref("documentationUri", "The address of a page that helps people to use the scheme.", "external"),
				boolean("primary", "Whether the scheme is the preferred one."),
			}, required),
			complexOf("pagination", "How lists are paged (RFC 9865, section 4).",
				boolean("cursor", "Whether there are cursors.", required),
				boolean("index", "Whether there is startIndex.", required),
				str("defaultPaginationMethod", "The method of a query that names none.", canonical("cursor", "index")),
				integer("defaultPageSize", "The number of resources on a page where the query has no count."),
				integer("maxPageSize", "The largest number of resources on a page."),
				integer("cursorTimeout", "For how many seconds a cursor is good, at least.")),
			boolean("interopProfileConformant",
				"Whether the service keeps to the SCIM interoperability profile (draft-zollner-scim-interop-profile)."),
		),
	})
})

// ResourceTypeSchema is the schema of resource types (RFC 7643, section 6).
var ResourceTypeSchema = sync.OnceValue(func() *Schema {
	return Define(&Schema{
		ID: scim.ResourceTypeURN, Name: "ResourceType", Description: "A kind of resource, its endpoint and its schemas",
		Attributes: readOnlyAttributes(
			str("id", "The identifier of the resource type, often equal to its name.", caseExact),
			str("name", "The name of the resource type.", required, caseExact, unique),
			str("description", "What the resource type is, for people to read."),
			with(ref("endpoint", "The address of the endpoint, relative to the base URL.", "uri"), required, unique),
			with(ref("schema", "The URN of the core schema.", "uri"), required),
			multi("schemaExtensions", "The extensions that the resource type adds to its core schema.", []*Attribute{
				with(ref("schema", "The URN of the extension.", "uri"), required),
				boolean("required", "Whether every resource must have data of the extension.", required),
			}),
		),
	})
})

// SchemaSchema is the schema of schemas (RFC 7643, section 7).
var SchemaSchema = sync.OnceValue(func() *Schema {
	return Define(&Schema{
		ID: scim.SchemaURN, Name: "Schema", Description: "A set of attributes and their characteristics",
		Attributes: readOnlyAttributes(
			str("id", "The URN of the schema.", required, caseExact),
			str("name", "The name of the schema, for people to read."),
			str("description", "What the schema is for."),
			multi("attributes", "The attributes of the schema.", append(characteristics("complex"),
				multi("subAttributes", "The sub-attributes of a complex attribute.", characteristics())), required),
		),
	})
})

// feature creates an attribute that says whether something is supported.
func feature(name, description string, more ...*Attribute) *Attribute {
	supported := boolean("supported", "Whether it is supported.", required)
	return with(complexOf(name, description, append([]*Attribute{supported}, more...)...), required)
}

// characteristics creates the attributes that describe an attribute (RFC 7643, section 7), which may be of the usual
// types or of more; complex attributes have none that is complex.
func characteristics(more ...string) []*Attribute {
	types := append([]string{"string", "boolean", "decimal", "integer", "dateTime", "reference", "binary"}, more...)
	return []*Attribute{
		str("name", "The name of the attribute.", required, caseExact),
		str("type", "The data type.", required, canonical(types...)),
		boolean("multiValued", "Whether the attribute may have several values.", required),
		str("description", "What the attribute is for."),
		boolean("required", "Whether the attribute must have a value."),
		str("canonicalValues", "Suggested values.", caseExact, several),
		boolean("caseExact", "Whether values that differ in case only are different."),
		str("mutability", "When the attribute may be set.", caseExact,
			canonical("readOnly", "readWrite", "immutable", "writeOnly")),
		str("returned", "When the attribute is part of an answer.", caseExact,
			canonical("always", "never", "default", "request")),
		str("uniqueness", "How far a value must be unique.", caseExact, canonical("none", "server", "global")),
		str("referenceTypes", "What a reference may point to: names of resource types, \"external\" or \"uri\".",
			caseExact, several),
	}
}

func readOnlyAttributes(attributes ...*Attribute) []*Attribute {
	for _, a := range attributes {
		allReadOnly(a)
	}
	return attributes
}
