package scimhttp

import "strings"

// entityTags takes apart the values of an If-Match or If-None-Match header (RFC 9110, section 13.1): tags as written,
// or "*". A comma inside quotes belongs to its tag. A header without any tag gives one that nothing matches: a
// precondition is never dropped.
func entityTags(values []string) []string {
	var tags []string
	for _, value := range values {
		quoted, start := false, 0
		for i := 0; i <= len(value); i++ {
			if i < len(value) && value[i] == '"' {
				quoted = !quoted
			}
			if i == len(value) || value[i] == ',' && !quoted {
				if tag := strings.TrimSpace(value[start:i]); tag != "" {
					tags = append(tags, tag)
				}
				start = i + 1
			}
		}
	}
	if len(values) > 0 && len(tags) == 0 {
		return []string{`""`}
	}
	return tags
}

// noneMatch reports whether an If-None-Match header names the current version, so that the answer needs no body.
// The comparison is weak (RFC 9110, section 8.8.3.2).
func noneMatch(values []string, etag string) bool {
	for _, tag := range entityTags(values) {
		if tag == "*" || opaque(tag) == opaque(etag) {
			return true
		}
	}
	return false
}

// opaque is a tag without its weakness and its quotes, if it has both or none of these.
func opaque(tag string) string {
	tag = strings.TrimPrefix(tag, "W/")
	if len(tag) >= 2 && tag[0] == '"' && tag[len(tag)-1] == '"' {
		return tag[1 : len(tag)-1]
	}
	return tag
}
