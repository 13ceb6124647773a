// Package schema is the attribute model of SCIM (RFC 7643): the characteristics of attributes (section 7), the schemas User,
// Group, EnterpriseUser and those of discovery (section 8.7), and resource types that join them (section 6).
// Definitions are what an operator adds to them for one tenant: attributes, extensions and resource types of their own.
//
// What a client sends is normalised once, by ResourceType.Normalize or, for one value of a PATCH, by Attribute.Normalize. After
// that a document is canonical: attributes carry their declared names, values their declared types, extension data stands under
// the extension's URN, and nothing is null or empty. Filters, PATCH, storage and answers rely on it. ResourceType.Check says
// whether a canonical document may be stored; ResourceType.Project makes the part of it that an answer shows.
package schema
