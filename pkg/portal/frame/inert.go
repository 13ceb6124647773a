package frame

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShown is how many characters of a name are shown.
const maxShown = 200

// Inert is a name that somebody else chose, as it can be shown: characters that nobody sees or that turn the direction
// of text around become a mark, and the end of a very long name is cut off. HTML is escaped by the templates.
func Inert(name string) string {
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
		if c == utf8.RuneError || unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == '\u2028' || c == '\u2029' {
			c = '\ufffd'
		}
		b.WriteRune(c)
		shown++
	}
	return b.String()
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
