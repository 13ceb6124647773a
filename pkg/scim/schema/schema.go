package schema

// Type is the data type of an attribute (RFC 7643, section 2.3).
type Type string

// The data types.
const (
	String    Type = "string"
	Boolean   Type = "boolean"
	Decimal   Type = "decimal"
	Integer   Type = "integer"
	DateTime  Type = "dateTime"
	Reference Type = "reference"
	Binary    Type = "binary"
	Complex   Type = "complex"
)

// Mutability says when an attribute may be (re)defined (RFC 7643, section 7).
type Mutability string

// The mutabilities.
const (
	ReadOnly  Mutability = "readOnly"
	ReadWrite Mutability = "readWrite"
	Immutable Mutability = "immutable"
	WriteOnly Mutability = "writeOnly"
)

// Returned says when an attribute is part of an answer (RFC 7643, section 7).
type Returned string

// The values of Returned.
const (
	Always  Returned = "always"
	Never   Returned = "never"
	Default Returned = "default"
	Request Returned = "request"
)

// Uniqueness is the scope in which a value must be unique (RFC 7643, section 7).
type Uniqueness string

// The values of Uniqueness.
const (
	None   Uniqueness = "none"
	Server Uniqueness = "server"
	Global Uniqueness = "global"
)

// Attribute is the definition of one attribute or sub-attribute: its characteristics as RFC 7643 section 7 names them,
// and this server's limits.
type Attribute struct {
	Name            string
	Type            Type
	MultiValued     bool
	Description     string
	Required        bool
	CanonicalValues []string
	CaseExact       bool
	Mutability      Mutability
	Returned        Returned
	Uniqueness      Uniqueness
	ReferenceTypes  []string
	SubAttributes   []*Attribute

	// Kept says that an empty value, such as null or "", does not unassign the attribute; a remove does.
	Kept bool
	// Closed says that CanonicalValues are the allowed values and not just suggestions.
	Closed bool
	// Secure says that with scim.Dialect.SecurePhotos a value must be an absolute https URL.
	Secure bool
	// MaxBytes bounds a string value's UTF-8 length; 0 means no bound but that of the whole resource.
	MaxBytes int
	// MaxValues bounds the number of values of a multi-valued attribute; 0 means no bound.
	MaxValues int

	simple bool // its text is one address, number or id, never that of JSON or of a list

	path  string                // full name for error details, set by Define
	index map[string]*Attribute // sub-attributes by name as declared and by folded name, set by Define
}

// Schema is a named set of attributes (RFC 7643, section 7).
type Schema struct {
	ID          string // URN
	Name        string
	Description string
	Attributes  []*Attribute

	index map[string]*Attribute // attributes by name as declared and by folded name, set by Define
}

// Extension is a schema that a resource type adds to its core schema.
type Extension struct {
	Schema   *Schema
	Required bool
}

// ResourceType joins an endpoint to its schemas (RFC 7643, section 6).
type ResourceType struct {
	ID          string // "User"
	Name        string
	Endpoint    string // "/Users"
	Description string
	Core        *Schema
	Extensions  []Extension

	custom bool         // something of it was defined by an operator, set by Definitions.Types
	unique []uniquePath // the values that an operator wants unique, set by Definitions.Types
}

// Ref is the attribute, sub-attribute or extension with a name in a path, a filter or a projection.
type Ref struct {
	// Extension is the extension schema that the attribute belongs to; nil for the core schema and the common
	// attributes.
	Extension *Schema
	// Attr is the attribute; nil if the name is the URN of a whole extension.
	Attr *Attribute
	// Sub is the sub-attribute; nil if none was named.
	Sub *Attribute
}
