// Package etag makes entity tags, and reads the conditional headers of RFC 9110, section 13.1.
package etag

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// length is the number of bytes of a digest in a tag.
const length = 12

// Of returns the entity tag of a state: equal objects have equal tags.
func Of(o scim.Object) string { return OfBytes(scim.AppendJSON(nil, o)) }

// OfBytes returns the entity tag of a state in its stored form.
func OfBytes(state []byte) string {
	sum := sha256.Sum256(state)
	return `"` + hex.EncodeToString(sum[:length]) + `"`
}

// Condition is the If-Match and the If-None-Match of a request.
type Condition struct{ match, none []string }

// Read reads the conditions in a header.
func Read(h http.Header) Condition { return Condition{tags(h, "If-Match"), tags(h, "If-None-Match")} }

// tags are the members of a header's lists, without the mark of weak ones: a gateway may weaken a tag when it
// compresses an answer. A header without a tag has one that no state has: a condition is never dropped.
func tags(h http.Header, name string) (all []string) {
	for _, line := range h.Values(name) {
		for tag := range strings.SplitSeq(line, ",") {
			if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag != "" {
				all = append(all, tag)
			}
		}
		if all == nil {
			all = []string{`""`}
		}
	}
	return all
}

// Given reports whether a request has a condition.
func (c Condition) Given() bool { return c.match != nil || c.none != nil }

// Allows reports whether a resource with the tag may be changed. The tag of a resource that does not exist is "".
func (c Condition) Allows(tag string) bool {
	return (c.match == nil || has(c.match, tag)) && !has(c.none, tag)
}

// Known reports whether If-None-Match names the tag, so that a reader has the state already.
func (c Condition) Known(tag string) bool { return has(c.none, tag) }

func has(list []string, tag string) bool {
	return tag != "" && (slices.Contains(list, tag) || slices.Contains(list, "*"))
}
