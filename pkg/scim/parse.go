package scim

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxDepth is the deepest nesting of arrays and objects in a body. No SCIM message needs a third of it.
const MaxDepth = 32

// MaxValues is the largest number of values in a text to decode, including those inside arrays and objects. It
// bounds the memory of the decoded form, which takes up to 50 bytes for each byte of text. A change of 20,000
// members has fewer than half; a stored document cannot have so many.
const MaxValues = 250_000

// ParseObject reads one JSON object (RFC 8259) and nothing after it but white space; a byte order mark before it is
// skipped.
//
// A number without fraction and exponent that fits is an int64, any other a finite float64. Refused are text that is
// not UTF-8, lone surrogates, numbers beyond float64, nesting beyond MaxDepth, and two keys of one object that are
// equal except for their case, because attribute names are case-insensitive (RFC 7643, section 2.1). The error is an
// *Error 400 invalidSyntax that names the place.
//
// Time and memory are linear in data, and more than MaxValues values are an *Error 413. The strings of the result
// share the memory of data if it is a string, else of one copy of it.
func ParseObject[T ~string | []byte](data T) (Object, error) {
	return (&parser{text: string(data)}).message()
}

// Raw is the checked text of a JSON value, which is decoded when it is needed.
type Raw string

// ParseEnvelope is ParseObject for a message that carries others, such as a bulk request (RFC 7644, section 3.7).
// If a key of the message has an array, the key inner (in upper or lower case) of each object in that array is
// checked and returned as a Raw. Its values do not count for MaxValues.
func ParseEnvelope(text, inner string) (Object, error) {
	return (&parser{text: text, inner: inner}).message()
}

// innerDepth is the nesting depth of a value of the key inner: the message, the array, and the object in it.
const innerDepth = 3

// message reads the whole text.
func (p *parser) message() (Object, error) {
	p.text = strings.TrimPrefix(p.text, "\uFEFF")
	p.space()
	if p.pos == len(p.text) {
		return nil, BadRequest(InvalidSyntax, "The request body is empty. Send a JSON object.")
	}
	if !utf8.ValidString(p.text) {
		return nil, BadRequest(InvalidSyntax, "The request body is not valid UTF-8.")
	}
	if p.text[p.pos] != '{' {
		return nil, BadRequest(InvalidSyntax, "The request body must be a JSON object, which starts with \"{\".")
	}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(p.text) {
		return nil, p.fail("there is more text after the end of the object")
	}
	return v.(Object), nil
}

type parser struct {
	text   string
	pos    int
	values int // decoded so far
	// inner is the member that stays text at innerDepth; empty for none.
	inner string
	// checking says that values are only checked, not decoded.
	checking bool
}

// fail makes the error for the current position, as line and column: a column counts bytes.
func (p *parser) fail(format string, args ...any) *Error {
	before := p.text[:p.pos]
	line := strings.Count(before, "\n") + 1
	column := p.pos - strings.LastIndexByte(before, '\n')
	return BadRequest(InvalidSyntax, "The request body is not valid JSON: %s (line %d, column %d).",
		fmt.Sprintf(format, args...), line, column)
}

// unexpected makes the error for an unexpected byte at the current position.
func (p *parser) unexpected(want string) *Error {
	if p.pos >= len(p.text) {
		return p.fail("it ends where %s was expected", want)
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return p.fail("%s was expected, not %q", want, r)
}

func (p *parser) space() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// next skips white space and says which byte comes; 0 at the end, which is no byte that JSON allows.
func (p *parser) next() byte {
	p.space()
	if p.pos >= len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// value reads a value inside depth arrays and objects.
func (p *parser) value(depth int) (any, error) {
	if p.values++; p.values > MaxValues && !p.checking {
		return nil, Errorf(413, NoType,
			"The request body has more than %d values, the limit of this server. "+
				"Spread the change over several requests.",
			MaxValues)
	}
	switch c := p.next(); {
	case c == '{' || c == '[':
		if depth >= MaxDepth {
			return nil, p.fail("arrays and objects nest more than %d deep", MaxDepth)
		}
		p.pos++
		if c == '{' {
			return p.object(depth + 1)
		}
		return p.array(depth + 1)
	case c == '"' && p.checking:
		_, err := p.str()
		return nil, err
	case c == '"':
		return p.str()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case p.literal("true"):
		return true, nil
	case p.literal("false"):
		return false, nil
	case p.literal("null"):
		return nil, nil
	}
	return nil, p.unexpected("a value")
}

func (p *parser) literal(word string) bool {
	if !strings.HasPrefix(p.text[p.pos:], word) {
		return false
	}
	p.pos += len(word)
	return true
}

func (p *parser) array(depth int) (any, error) {
	var a []any
	if !p.checking {
		a = []any{}
	}
	if p.next() == ']' {
		p.pos++
		return a, nil
	}
	for {
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		if !p.checking {
			a = append(a, v)
		}
		switch p.next() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return a, nil
		default:
			return nil, p.unexpected("\",\" or \"]\"")
		}
	}
}

func (p *parser) object(depth int) (any, error) {
	var o Object
	if !p.checking {
		o = newObject(depth)
	}
	if p.next() == '}' {
		p.pos++
		return o, nil
	}
	var seen keySet
	for {
		if p.next() != '"' {
			return nil, p.unexpected("a key in double quotes")
		}
		at := p.pos
		k, err := p.str()
		if err != nil {
			return nil, err
		}
		if !seen.add(k) {
			p.pos = at
			return nil, p.fail("the key %s is twice in one object; upper and lower case make no difference", Quote(k))
		}
		if p.next() != ':' {
			return nil, p.unexpected("\":\"")
		}
		p.pos++
		v, err := p.member(k, depth)
		if err != nil {
			return nil, err
		}
		if o != nil {
			o[k] = v
		}
		switch p.next() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return o, nil
		default:
			return nil, p.unexpected("\",\" or \"}\"")
		}
	}
}

// member reads the value of a member of an object.
func (p *parser) member(key string, depth int) (any, error) {
	if depth != innerDepth || p.inner == "" || p.checking || !strings.EqualFold(key, p.inner) {
		return p.value(depth)
	}
	p.space()
	start, values := p.pos, p.values
	p.checking = true
	_, err := p.value(depth)
	p.checking, p.values = false, values
	return Raw(p.text[start:p.pos]), err
}

// newObject returns an empty object with the usual capacity: a dozen attributes for a resource, a few for an object
// inside it.
func newObject(depth int) Object {
	if depth == 1 {
		return make(Object, 12)
	}
	return Object{}
}

// keySet is the set of the folded keys of one object. The few keys of a usual object are compared one by one, which
// allocates nothing; many are kept in a map, which keeps time linear.
type keySet struct {
	few  [16]string
	n    int
	many map[string]struct{}
}

// add adds a key, and reports whether it was new.
func (s *keySet) add(k string) bool {
	if s.many == nil {
		for _, f := range s.few[:s.n] {
			if strings.EqualFold(f, k) {
				return false
			}
		}
		if s.n < len(s.few) {
			s.few[s.n] = k
			s.n++
			return true
		}
		s.many = make(map[string]struct{}, 4*len(s.few))
		for _, f := range s.few {
			s.many[Fold(f)] = struct{}{}
		}
	}
	f := Fold(k)
	if _, ok := s.many[f]; ok {
		return false
	}
	s.many[f] = struct{}{}
	return true
}

// number reads a number whose first byte is a digit or a minus sign.
func (p *parser) number() (any, error) {
	start, integral := p.pos, true
	if p.text[p.pos] == '-' {
		p.pos++
	}
	if p.pos < len(p.text) && p.text[p.pos] == '0' {
		p.pos++
	} else if !p.digits() {
		return nil, p.unexpected("a digit")
	}
	if p.pos < len(p.text) && p.text[p.pos] == '.' {
		p.pos++
		integral = false
		if !p.digits() {
			return nil, p.unexpected("a digit")
		}
	}
	if p.pos < len(p.text) && p.text[p.pos]|0x20 == 'e' {
		p.pos++
		integral = false
		if p.pos < len(p.text) && (p.text[p.pos] == '+' || p.text[p.pos] == '-') {
			p.pos++
		}
		if !p.digits() {
			return nil, p.unexpected("a digit")
		}
	}
	text := p.text[start:p.pos]
	if integral {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		p.pos = start
		return nil, p.fail("a number is too large")
	}
	return f, nil
}

func (p *parser) digits() bool {
	start := p.pos
	for p.pos < len(p.text) && '0' <= p.text[p.pos] && p.text[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > start
}
