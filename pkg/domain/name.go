// Package domain finds the domain of an e-mail address, and has the set of the verified domains of a tenant. It is
// linked into the functions that answer identity providers, so it has no Unicode tables; package claim, which verifies
// domains, has those.
//
//	name.go  the domain of an address
//	set.go   the verified domains of a tenant, in the short form that fits into its item
package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the longest name of a domain in bytes (RFC 1035, section 2.3.4, without the dot of the root).
const MaxName = 253

// Of returns the domain of an e-mail address in lower case. A-labels and U-labels (RFC 5890) stay as they are. ok is
// false unless the address is a local part, one @ and a domain.
func Of(address string) (name string, ok bool) {
	local, rest, _ := strings.Cut(address, "@")
	if local == "" || strings.TrimSpace(local) != local {
		return "", false
	}
	return lower(rest)
}

// lower returns a name in lower case; ok is false if it is not a name: labels of letters, digits and hyphens, joined
// by dots. All characters beyond ASCII count as letters, since only names of the DNS are ever in a Set. They stay
// beyond ASCII: "İ" and the Kelvin sign must not become "i" and "k" of another domain.
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
