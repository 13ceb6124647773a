package patch

import (
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
)

// Kind is the operation of a PATCH (RFC 7644, section 3.5.2).
type Kind string

// The kinds, in lower case; a request may write them in any case.
const (
	Add     Kind = "add"
	Remove  Kind = "remove"
	Replace Kind = "replace"
)

// MaxOperations is the number of operations that one request may hold.
const MaxOperations = 1000

// Operation is one operation of a PATCH request.
type Operation struct {
	Kind Kind
	// Path is the target; nil if the request names none, so that Value is an object of attributes.
	Path *filter.Path
	// Value is the JSON value as sent; nil if HasValue is false, and for null.
	Value any
	// HasValue distinguishes an operation whose value is null from one without a value.
	HasValue bool
}

// CollectionChange is an operation on the attribute that is kept outside the document, such as the members of a group.
type CollectionChange struct {
	// Kind is the operation: Add adds Values, Replace leaves exactly Values, Remove removes the elements that the
	// other fields select.
	Kind Kind
	// Values are the normalised elements of an Add or a Replace, each with a `value`, no `value` twice, in the order
	// sent. A Replace may have none. For a Remove it is nil.
	Values []scim.Object
	// Filter selects the elements of a Remove whose filter is more than `value eq`. Exactly one of Filter, Eq and All
	// is set for a Remove, and none otherwise.
	Filter *filter.ElementMatcher
	// Eq names the elements of a Remove by their `value`, none twice. One that is not there is not an error.
	Eq []string
	// All empties the collection.
	All bool
}

// Result is the result of a PATCH.
type Result struct {
	// Doc is the changed document. It passes the resource type's Check and shares the parts that did not change with
	// the document that was given to Apply: neither may be written to.
	Doc scim.Object
	// Collection holds the operations on the collection, in order.
	Collection []CollectionChange
}
