// Package patch reads and applies a SCIM PATCH request (RFC 7644, section 3.5.2).
//
// Parse turns the message into operations, Apply carries them out on a document: in order, all or nothing, without
// I/O and without writing to the input document. Forms of identity providers that the RFC does not have are read as
// well; if a form contradicts the RFC, a field of scim.Dialect decides.
//
// If the RFC is silent or leaves room, this package does the following.
//
//   - A value without a path is a merge: each key is applied as if it were the path of an operation of its own. Keys
//     may be dotted, URN-qualified or value paths. Unknown and read-only attributes in it are skipped.
//   - null, "" and [] unassign an attribute or sub-attribute; {} changes nothing. An add of any of these to a
//     multi-valued attribute adds nothing. DIVERGENCES.md has the table.
//   - A string with JSON is accepted in the place of a complex value.
//   - Adding an element changes nothing if an existing element holds all its sub-attributes with the same values.
//     If one with the same type and value exists, its other sub-attributes are changed, because one (type, value)
//     pair must not be returned twice (RFC 7643, section 2.4). Elements without a value are the same when they are
//     equal.
//   - Replacing an element that a filter selects replaces it whole, but sub-attributes in the filter's `eq` pairs
//     stay, unless the value changes them.
//   - A sub-attribute of a multi-valued attribute without a filter, `emails.value`, is the one of every element; if
//     there is no element, adding or replacing makes one.
//   - An element is removed if, after all operations, it holds only `type`, `primary` and `$ref`.
//   - If `value` changes and the operation does not set `$ref`, `$ref` is removed, since it belongs to the old
//     value.
//   - Removing an attribute with a value removes that value only.
package patch
