package filter

import (
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// ParsePath reads the path of a PATCH operation (RFC 7644, section 3.5.2, figure 7): an attribute name with its URN
// and sub-attribute if any, the URN of a whole extension, or a value path with or without a sub-attribute after the
// bracket. Names are not resolved. Values are read as in Parse. Every error is a *scim.Error of status 400:
// invalidFilter for a fault in brackets, else invalidPath.
func ParsePath(s string, d scim.Dialect) (Path, error) {
	p := newParser(s, d)
	p.path = true
	if err := p.start(); err != nil {
		return Path{}, err
	}
	if p.tok.kind != tokWord {
		return Path{}, p.expected("an attribute name")
	}
	path, err := p.target()
	if err != nil {
		return Path{}, err
	}
	switch {
	case p.tok.kind == tokEnd:
		return path, nil
	case path.Filter == nil:
		return Path{}, p.expected("[ or the end")
	case path.Sub == "":
		return Path{}, p.expected("a sub-attribute such as .value, or the end")
	}
	return Path{}, p.expected("the end")
}

// target reads the path of a comparison or an operation. The current token is its first word.
func (p *parser) target() (Path, error) {
	name := p.tok
	if problem := checkName(name.text); problem != "" {
		return Path{}, p.fail(name.pos, "%q is not an attribute name: %s", short(name.text), problem)
	}
	path := Path{Name: name.text}
	p.next()
	if !p.tok.is("[") {
		return path, nil
	}
	if p.bracket {
		return Path{}, p.fail(p.tok.pos, "a value filter in brackets must not contain another one")
	}
	p.bracket = true
	f, err := p.enclosed("]")
	if err != nil {
		return Path{}, err
	}
	p.bracket = false
	path.Filter = f
	if t := p.tok; t.kind == tokWord && t.glued && strings.HasPrefix(t.text, ".") {
		if problem := checkSimpleName(t.text[1:]); problem != "" {
			return Path{}, p.fail(t.pos+1, "%q is not a sub-attribute name: %s", short(t.text[1:]), problem)
		}
		path.Sub = t.text[1:]
		p.next()
	}
	return path, nil
}

// checkName returns the reason why a word is not an attribute name with its optional URN and sub-attribute; "" if
// it is one. Only the schemas determine the end of a URN, which the grammar does not know; so only its characters are
// checked.
func checkName(s string) string {
	if strings.Contains(s, ":") {
		return checkURN(s)
	}
	attr, sub, dotted := strings.Cut(s, ".")
	problem := checkSimpleName(attr)
	switch {
	case problem != "" || !dotted:
		return problem
	case sub == "":
		return "the name of a sub-attribute is missing after the dot"
	}
	return checkSimpleName(sub)
}

func checkURN(s string) string {
	if !isLetter(s[0]) {
		return "a URN begins with a letter"
	}
	if last := s[len(s)-1]; last == ':' || last == '.' {
		return "a name is missing at its end"
	}
	for _, r := range s {
		if r >= 0x80 || !isNameByte(byte(r)) && !strings.ContainsRune(":.$/%+~#?=&@!*,;", r) {
			return "it contains the character " + string(r)
		}
	}
	return ""
}

// checkSimpleName checks one ATTRNAME; $ref is the one name of RFC 7643 that begins with a dollar sign.
func checkSimpleName(s string) string {
	body := strings.TrimPrefix(s, "$")
	if body == "" {
		return "it is empty"
	}
	if !isLetter(body[0]) {
		return "a name begins with a letter"
	}
	for _, r := range body {
		switch {
		case r == '.':
			return "a sub-attribute has no sub-attributes"
		case r >= 0x80 || !isNameByte(byte(r)):
			return "it contains the character " + string(r)
		}
	}
	return ""
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isNameByte(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// EqualPairs returns the `eq` comparisons of a value filter that consists only of `eq` joined by `and`. The keys
// are sub-attribute names as written. The caller can make an element from them that passes the filter. The result
// is false for any other filter, and for one that asks for two different values of one sub-attribute. A comparison
// with null is left out.
func EqualPairs(e Expr) (map[string]Value, bool) {
	pairs := map[string]Value{}
	seen := map[string]Value{}
	if !addPairs(e, pairs, seen) {
		return nil, false
	}
	return pairs, true
}

func addPairs(e Expr, pairs, seen map[string]Value) bool {
	switch e := e.(type) {
	case And:
		return addPairs(e.L, pairs, seen) && addPairs(e.R, pairs, seen)
	case Compare:
		if e.Op != Eq || e.Path.Filter != nil {
			return false
		}
		name := scim.Fold(e.Path.Name)
		if before, ok := seen[name]; ok {
			return before == e.Value
		}
		seen[name] = e.Value
		if e.Value.Kind != Null {
			pairs[e.Path.Name] = e.Value
		}
		return true
	}
	return false
}
