package frame

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxShown is how many characters of a name are shown.
const maxShown = 200

// inert is a name that somebody else chose, as it can be shown: characters that nobody sees or that turn the direction
// of text around become a mark, and the end of a very long name is cut off. HTML is escaped by the templates.
func inert(name string) string {
	if plainName(name) {
		return name
	}
	var b strings.Builder
	shown := 0
	for _, c := range name {
		if shown == maxShown {
			b.WriteString("…")
			break
		}
		if hidden(c) {
			c = '\ufffd'
		}
		b.WriteRune(c)
		shown++
	}
	return b.String()
}

// visible is JSON that somebody else sent, as it can be shown whole: characters that nobody sees or that turn the
// direction of text around are their JSON escapes (RFC 8259, section 7). Lines stay lines.
func visible(text string) string {
	var b strings.Builder
	for _, c := range text {
		if c == '\n' || c == '\t' || !hidden(c) {
			b.WriteRune(c)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, c) {
			_, _ = fmt.Fprintf(&b, `\u%04x`, unit) // it takes all
		}
	}
	return b.String()
}

// hidden reports whether nobody sees a character, or it turns text around.
func hidden(c rune) bool {
	return c == utf8.RuneError || unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == '\u2028' || c == '\u2029'
}

// plainName reports whether a name is short printable ASCII, as most are.
func plainName(name string) bool {
	for i := range len(name) {
		if name[i] < ' ' || name[i] > '~' {
			return false
		}
	}
	return len(name) <= maxShown
}
