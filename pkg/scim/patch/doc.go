// Package patch reads and applies a SCIM PATCH request (RFC 7644, section 3.5.2).
//
// Parse turns the message into operations, Apply carries them out on a document: in order, all or nothing, without I/O
// and without writing to the document that came in. What identity providers send beside the RFC is read as well; if
// that contradicts the RFC, a field of scim.Dialect decides.
//
// If the RFC is silent or leaves room, this package does the following.
//
//   - A value without a path is a merge: each key is applied as if it were the path of an operation of its own. Keys
//     may be dotted, URN-qualified or value paths. Unknown and read-only attributes in it are skipped.
//   - null, "" and [] unassign an attribute or sub-attribute; {} names nothing and changes nothing. An add of them to a
//     multi-valued attribute adds nothing. DIVERGENCES.md has the table.
//   - JSON in a string is read in the place of a complex value.
//   - Adding an element that is there with all that it says changes nothing. One whose type and value are there changes
//     that element's other sub-attributes, because one (type, value) pair must not be returned twice (RFC 7643, section
//     2.4). Elements without a value are the same when they are equal.
//   - Replacing an element that a filter selects replaces it whole, but what the filter's `eq` pairs say stays, unless
//     the value says otherwise.
//   - A sub-attribute of a multi-valued attribute without a filter, `emails.value`, means that of every element; if
//     there is none, adding or replacing makes one.
//   - An element that all operations together leave with nothing but `type`, `primary` and `$ref` is removed.
//   - If `value` changes and `$ref` is not named, `$ref` goes, since it stands for the old value.
//   - Removing an attribute with a value removes that value only.
package patch
