// Package filter is the SCIM filter language (RFC 7644, section 3.4.2.2) and the paths of PATCH that are built from it
// (section 3.5.2).
//
// Parse and ParsePath turn text into a tree, which String prints as text again. Both check only the grammar. Bind
// and BindElement resolve the names of a tree in a resource type or in one attribute, check each comparison against
// the attribute's type, and give a matcher that decides documents. All errors are *scim.Error of status 400 with a
// detail for an administrator.
//
// If the RFC leaves a choice, this package does the following.
//
//   - A comparison with a multi-valued attribute is true if it is true for one of the values, for every operator,
//     also for ne: `emails.type ne "work"` is true of a user with a work and a home address.
//   - For a missing attribute, and for an element that lacks the sub-attribute, ne is true and all other
//     comparisons are false. An element without "primary" counts as not primary.
//   - `eq null` is "not pr" and `ne null` is "pr"; null compares with no other operator. A value that is null, "", []
//     or an object of only such values is not present.
//   - A complex attribute that is compared as a whole stands for its sub-attribute "value", as in `emails co
//     "example.com"`.
//   - Strings compare by code points; unless the attribute is caseExact, both sides are folded by scim.Fold first. A
//     dateTime compares as an instant; without a zone it is UTC. co, sw and ew look at a dateTime as text.
//   - A Boolean may be quoted, in any case: `primary eq "True"`.
//   - An attribute that no schema knows, and one that is never returned, is an error in every dialect: leaving the
//     comparison out would answer a different question, and a password must not be guessed letter by letter.
package filter
