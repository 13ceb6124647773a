package filter

import (
	"strings"
	"unicode/utf8"
)

// tokenKind is the kind of a token.
type tokenKind int

const (
	tokEnd    tokenKind = iota
	tokWord             // attribute name, operator, keyword, number: anything without white space, brackets and quotes
	tokString           // JSON string
	tokPunct            // one of ( ) [ ]
	tokBad              // no valid token; value is the reason
)

// token is one piece of a filter. Its text is a part of the input, so that scanning allocates only for escaped strings.
type token struct {
	kind  tokenKind
	text  string // as written
	value string // of a string: without quotes and escapes; of a bad token: the reason
	pos   int    // byte offset
	glued bool   // nothing stands between this token and the one before it
}

// is reports whether the token is the punctuation mark c.
func (t token) is(c string) bool { return t.kind == tokPunct && t.text == c }

// keyword reports whether the token is the word w, in any case.
func (t token) keyword(w string) bool { return t.kind == tokWord && strings.EqualFold(t.text, w) }

// scan reads the token that starts at or after byte offset from. With raw a backslash may stand for itself: see
// rawString.
func scan(s string, from int, raw bool) token {
	pos := from
	for pos < len(s) && isSpace(s[pos]) {
		pos++
	}
	t := token{pos: pos, glued: pos == from}
	if pos == len(s) {
		return t
	}
	switch s[pos] {
	case '(', ')', '[', ']':
		t.kind, t.text = tokPunct, s[pos:pos+1]
	case '"':
		if !raw || !rawString(s, &t) {
			scanString(s, &t)
		}
	default:
		end := pos
		for end < len(s) && !isSpace(s[end]) && !isDelimiter(s[end]) {
			end++
		}
		t.kind, t.text = tokWord, s[pos:end]
	}
	return t
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func isDelimiter(c byte) bool {
	return c == '(' || c == ')' || c == '[' || c == ']' || c == '"'
}

// rawString reads a string with a backslash, not its first character, that is no escape, or that divides a Windows
// name, `"DOMAIN\user"`: one backslash, after nothing but letters, digits, dots, hyphens and underscores, that does
// not begin an escape such as \u00fc or \". Such a name is far more likely than a control character. False leaves the
// string to scanString.
func rawString(s string, t *token) bool {
	var b []byte
	name, bare := true, 0 // the text so far can be a domain; backslashes taken literally
	for i := t.pos + 1; i < len(s); {
		switch c := s[i]; {
		case c == '"':
			if bare == 0 {
				return false
			}
			t.kind, t.text, t.value = tokString, s[t.pos:i+1], string(b)
			return true
		case c < ' ':
			return false
		case c == '\\':
			from := len(b)
			var n int
			b, n = appendEscape(b, s[i:])
			if from > 0 && (n == 0 || n == 2 && name && isLetter(s[i+1]) && lone(s[i+1:])) {
				b, n = append(b[:from], c), 1
				bare++
			}
			if n == 0 {
				return false
			}
			name = false
			i += n
		default:
			name = name && (isNameByte(c) || c == '.')
			b = append(b, c)
			i++
		}
	}
	return false
}

// lone reports whether no other backslash follows in the string.
func lone(s string) bool {
	end := strings.IndexAny(s, "\"\\")
	return end >= 0 && s[end] == '"'
}

// scanString reads the JSON string (RFC 8259, section 7) that starts at t.pos. A bad escape moves t.pos to itself.
func scanString(s string, t *token) {
	i := t.pos + 1
	for i < len(s) && s[i] != '"' && s[i] != '\\' && s[i] >= ' ' {
		i++
	}
	if i < len(s) && s[i] == '"' {
		t.kind, t.text, t.value = tokString, s[t.pos:i+1], s[t.pos+1:i]
		return
	}
	b := []byte(s[t.pos+1 : i])
	for i < len(s) {
		switch c := s[i]; {
		case c == '"':
			t.kind, t.text, t.value = tokString, s[t.pos:i+1], string(b)
			return
		case c < ' ':
			t.kind, t.pos, t.value = tokBad, i, "a control character in a string must be "+
				"written as an escape such as \\n"
			return
		case c != '\\':
			b = append(b, c)
			i++
		default:
			var n int
			if b, n = appendEscape(b, s[i:]); n == 0 {
				t.kind, t.pos, t.value = tokBad, i, `this escape is unknown in a string; a backslash is written \\`
				return
			}
			i += n
		}
	}
	t.kind, t.value = tokBad, "the string has no closing quote"
}

// appendEscape decodes the escape at the start of s, which begins with a backslash. It returns the number of bytes that
// it read, 0 if there is no such escape or if it is half of a surrogate pair.
func appendEscape(b []byte, s string) ([]byte, int) {
	if len(s) < 2 {
		return b, 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return append(b, s[1]), 2
	case 'b':
		return append(b, '\b'), 2
	case 'f':
		return append(b, '\f'), 2
	case 'n':
		return append(b, '\n'), 2
	case 'r':
		return append(b, '\r'), 2
	case 't':
		return append(b, '\t'), 2
	case 'u':
		return appendUnicodeEscape(b, s)
	}
	return b, 0
}

func appendUnicodeEscape(b []byte, s string) ([]byte, int) {
	const high, low, end = 0xD800, 0xDC00, 0xE000
	r, ok := hex4(s)
	switch {
	case !ok || low <= r && r < end:
		return b, 0
	case r < high || r >= end:
		return utf8.AppendRune(b, r), 6
	}
	second, ok := hex4(s[6:])
	if !ok || second < low || second >= end {
		return b, 0
	}
	return utf8.AppendRune(b, 0x10000+(r-high)<<10+(second-low)), 12
}

// hex4 reads \uXXXX at the start of s.
func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// isNumber reports whether s is a JSON number (RFC 8259, section 6).
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	s = s[whole:]
	if strings.HasPrefix(s, ".") {
		n := digits(s[1:])
		if n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		n := digits(s)
		return n > 0 && n == len(s)
	}
	return s == ""
}

// digits counts the decimal digits at the start of s.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
