// Package domain finds the domain of an e-mail address, and knows the set of the domains that a tenant has verified. It
// is linked into the functions that answer identity providers, so it has no table of Unicode's: package claim, which
// verifies domains, has those.
//
//	name.go  the domain of an address
//	set.go   the verified domains of a tenant, as short as they fit its item
package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the longest name of a domain in bytes (RFC 1035, section 2.3.4, without the dot of the root).
const MaxName = 253

// Of returns the domain of an e-mail address in lower case, as it is written there: A-labels stay, and so do U-labels.
// ok is false unless the address is a local part, one @ and a domain.
func Of(address string) (name string, ok bool) {
	local, rest, _ := strings.Cut(address, "@")
	if local == "" || strings.TrimSpace(local) != local {
		return "", false
	}
	return lower(rest)
}

// lower is a name in lower case; ok is false if it is none: labels of letters, digits and hyphens, joined by dots. All
// beyond ASCII is a letter here, since only a name of the DNS is ever in a Set. It stays beyond ASCII: "İ" and the sign
// of kelvin are no "i" and "k" of another domain.
func lower(text string) (name string, ok bool) {
	if text == "" || len(text) > MaxName || !utf8.ValidString(text) {
		return "", false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
	}
	ok = true
	name = strings.Map(func(r rune) rune {
		small := unicode.ToLower(r)
		switch {
		case r == '.', r == '-', 'a' <= small && small <= 'z' && r < utf8.RuneSelf, '0' <= r && r <= '9':
		case r >= utf8.RuneSelf && small >= utf8.RuneSelf:
		default:
			ok = false
		}
		return small
	}, text)
	return name, ok
}
