package scim

import (
	"slices"
	"strings"
	"unicode"
)

// SeveralIDs reports whether a text is several ids of resources one after the other.
func SeveralIDs(text string) bool { return allOf(words(text), IsUUID) }

// Several reports whether a text is several ids, e-mail addresses, web addresses or telephone numbers one after the
// other.
func Several(text string) bool {
	if !strings.ContainsFunc(text, func(r rune) bool { return separates(r) || unicode.IsSpace(r) }) {
		return false
	}
	parts := words(text)
	return allOf(parts, IsUUID) || allOf(parts, isEmail) || allOf(parts, isWeb) ||
		allOf(strings.FieldsFunc(text, separates), isPhone)
}

func separates(r rune) bool { return strings.ContainsRune(",;|\n\r\t", r) }

func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return separates(r) || unicode.IsSpace(r) })
}

// allOf reports whether there is more than one part and all of them are of one kind.
func allOf(parts []string, is func(string) bool) bool {
	return len(parts) > 1 && !slices.ContainsFunc(parts, func(s string) bool { return !is(s) })
}

func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1
}

func isWeb(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") }

// isPhone reports whether a text may be a whole telephone number: an extension is shorter.
func isPhone(s string) bool {
	digits := 0
	for _, r := range strings.TrimPrefix(strings.TrimSpace(s), "tel:") {
		if '0' <= r && r <= '9' {
			digits++
		} else if !strings.ContainsRune("+-./() ", r) {
			return false
		}
	}
	return digits >= 7
}

// IsUUID reports whether a text has the form of the ids that this server makes (RFC 9562, section 4), in any case.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}
