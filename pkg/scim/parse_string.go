package scim

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string whose opening quote is the current byte.
func (p *parser) str() (string, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			s := p.text[start:p.pos]
			p.pos++
			return s, nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.fail("a control character in a string is not escaped")
		}
		p.pos++
	}
	return "", p.fail("a string is not closed")
}

// escaped reads on in a string that began at start and whose first escape is the current byte.
func (p *parser) escaped(start int) (string, error) {
	b := append(make([]byte, 0, 2*(p.pos-start)+16), p.text[start:p.pos]...)
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			return string(b), nil
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			b = utf8.AppendRune(b, r)
		case c < 0x20:
			return "", p.fail("a control character in a string is not escaped")
		default:
			b = append(b, c)
			p.pos++
		}
	}
	return "", p.fail("a string is not closed")
}

// escape reads one escape, or two that together are a surrogate pair.
func (p *parser) escape() (rune, error) {
	if p.pos+1 < len(p.text) {
		if i := strings.IndexByte(`"\/bfnrt`, p.text[p.pos+1]); i >= 0 {
			p.pos += 2
			return rune("\"\\/\b\f\n\r\t"[i]), nil
		}
	}
	r, ok := p.unit()
	if !ok {
		return 0, p.fail("a backslash in a string starts an unknown escape")
	}
	if !utf16.IsSurrogate(r) {
		p.pos += 6
		return r, nil
	}
	at := p.pos
	p.pos += 6
	low, ok := p.unit()
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		p.pos = at
		return 0, p.fail("an escaped surrogate stands alone")
	}
	p.pos += 6
	return r, nil
}

// unit reads the \uXXXX at the current position, without going on.
func (p *parser) unit() (rune, bool) {
	if len(p.text)-p.pos < 6 || p.text[p.pos:p.pos+2] != `\u` {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.text[p.pos+2 : p.pos+6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
