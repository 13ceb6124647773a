package patch

// Kind is the operation of a PATCH (RFC 7644, section 3.5.2).
type Kind string

// The kinds, in lower case; a request may write them in any case.
const (
	Add     Kind = "add"
	Remove  Kind = "remove"
	Replace Kind = "replace"
)
