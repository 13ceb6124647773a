package scim

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold maps a string to the form that two strings share when they differ in case only: the one case rule for attribute
// names, for URNs and for values that are not caseExact (RFC 7643, section 2.2), in comparisons and in stored keys
// alike. It is Unicode simple case folding, rune by rune: no locale, no expansion, so that the fold of a prefix is a
// prefix of the fold. The result is never longer than s in bytes. Bytes that are no valid UTF-8 stay as they are.
func Fold(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return foldFrom(s, i)
		}
	}
	return s
}

func foldFrom(s string, from int) string {
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:from])
	for i := from; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b.WriteByte(s[i])
		} else {
			b.WriteRune(foldRune(r))
		}
		i += size
	}
	return b.String()
}

// foldRune picks one rune of each orbit of simple folding: the ASCII letter in lower case if the orbit has one, else
// the smallest rune, which is also the shortest in UTF-8.
func foldRune(r rune) rune {
	least := r
	if r >= utf8.RuneSelf {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}
