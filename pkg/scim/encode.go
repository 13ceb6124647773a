package scim

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Literal returns a text as a filter writes it: a whole JSON string (RFC 7644, section 3.4.2.2). For texts that people
// read there is Quote, which shortens.
func Literal(s string) string { return string(AppendJSON(nil, s)) }

// AppendJSON appends v as JSON to dst. The same value always gives the same bytes: the keys of an object are
// sorted, but "schemas" and "id" come first, for human readers. Characters are escaped only if JSON asks for it.
//
// Beside the types of an Object it accepts int, []string, []Object and Encoded. Any other type, and a number that
// JSON cannot represent, becomes null. Bytes of a string that are no valid UTF-8 become U+FFFD.
func AppendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendString(dst, v)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		return appendFloat(dst, v)
	case Object:
		return appendObject(dst, v)
	case []any:
		return appendArray(dst, v)
	case []string:
		return appendArray(dst, v)
	case []Object:
		return appendArray(dst, v)
	case Encoded:
		const behind = 4096 // usual size of the rest, so that appending it does not copy a large text again
		return append(slices.Grow(dst, len(v)+behind), v...)
	}
	return append(dst, "null"...)
}

// Encoded is a value that is JSON already: a list that would take far more memory as objects. AppendJSON writes it
// unchanged.
type Encoded []byte

func appendArray[T any](dst []byte, a []T) []byte {
	dst = append(dst, '[')
	for i, v := range a {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendJSON(dst, v)
	}
	return append(dst, ']')
}

func appendObject(dst []byte, o Object) []byte {
	if o == nil {
		return append(dst, "null"...)
	}
	if cap(dst) == 0 {
		dst = make([]byte, 0, 512) // most documents fit, and need no larger memory on the way there
	}
	var buf [24]string
	keys := sortedKeys(buf[:0], o)
	dst = append(dst, '{')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, k), ':')
		dst = AppendJSON(dst, o[k])
	}
	return append(dst, '}')
}

// sortedKeys appends the keys of an object in the order in which they are written. Each is put in its place at once:
// of the few keys that an object has, a general sort takes twice the time.
func sortedKeys(keys []string, o Object) []string {
	if len(o) > cap(keys) {
		keys = slices.Collect(maps.Keys(o))
		slices.SortFunc(keys, compareKeys)
		return keys
	}
	for k := range o {
		i := len(keys)
		keys = append(keys, k)
		for ; i > 0 && compareKeys(k, keys[i-1]) < 0; i-- {
			keys[i] = keys[i-1]
		}
		keys[i] = k
	}
	return keys
}

func compareKeys(a, b string) int {
	if d := keyRank(a) - keyRank(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

func keyRank(k string) int {
	switch k {
	case "schemas":
		return 0
	case "id":
		return 1
	}
	return 2
}

// appendFloat writes plain decimals, and an exponent only if they would be long, as ECMAScript does. A whole number
// that is an int64 is written as one, so that values that are Equal have the same text, and minus zero is 0.
func appendFloat(dst []byte, f float64) []byte {
	if n, ok := whole(f); ok {
		return strconv.AppendInt(dst, n, 10)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

const hex = "0123456789abcdef"

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if len(s)-i >= 8 && plain(s[i:]) {
			i += 8
			continue
		}
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		i += size
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// plain reports whether the first eight bytes of a text are ASCII that a JSON string has as it is. It looks at all of
// them at once, as parts of one number: a part that is anything else sets the highest bit of one.
func plain(s string) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	_ = s[7] // so that the compiler reads the eight bytes as one number
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	quote, backslash := x^'"'*ones, x^'\\'*ones
	return (x|(x-' '*ones)|(quote-ones)|(backslash-ones))&high == 0
}

// appendEscape writes a byte that a JSON string must have escaped. A byte beyond ASCII is part of an invalid character,
// and becomes U+FFFD.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	if c >= utf8.RuneSelf {
		return append(dst, "\uFFFD"...)
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
