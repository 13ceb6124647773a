package scim

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold maps a string to the form that two strings share when they differ in case only: the one case rule for attribute names,
// for URNs and for values that are not caseExact (RFC 7643, section 2.2), in comparisons and in stored keys alike. It is Unicode
// simple case folding, rune by rune: no locale, no expansion, and the result is at most 1.5 times as long as s in bytes. Text
// that is no valid UTF-8 keeps its bad bytes as U+FFFD.
func Fold(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return foldSlow(s, i)
		}
	}
	return s
}

func foldSlow(s string, from int) string {
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:from])
	for _, r := range s[from:] {
		b.WriteRune(foldRune(r))
	}
	return b.String()
}

// foldRune picks one rune of each orbit of simple folding: the ASCII letter in lower case where the orbit has one, else the
// lower case of the orbit's smallest rune.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}
