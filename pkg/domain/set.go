package domain

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// digestLength is the length of a domain in a set: 96 bits, so that nobody finds a second name with the same digest.
const digestLength = 16

// Set has the verified domains of a tenant: their digests, one after the other. It is in the tenant's item, which
// every request reads. "" is the empty set.
type Set string

// SetOf returns the set of names in lower case.
func SetOf(names ...string) Set {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(digest(name))
	}
	return Set(b.String())
}

// Has reports whether a name in lower case is in the set.
func (s Set) Has(name string) bool {
	want := digest(name)
	for ; len(s) >= digestLength; s = s[digestLength:] {
		if string(s[:digestLength]) == want {
			return true
		}
	}
	return false
}

func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:digestLength*3/4])
}
