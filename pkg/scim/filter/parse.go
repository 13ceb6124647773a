package filter

import (
	"strings"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// The limits of a filter and of a PATCH path. They keep the work for one request small; no real client comes near them.
const (
	// MaxBytes is the length of the text in UTF-8.
	MaxBytes = 8 << 10
	// MaxDepth is the number of parentheses and brackets that may be open at one place.
	MaxDepth = 32
	// MaxComparisons is the number of comparisons in all, those in brackets included.
	MaxComparisons = 200
)

// Parse reads a filter (RFC 7644, section 3.4.2.2, figure 1). Operators and keywords may be in any case; white
// space around brackets and quotes may be missing. Names are not resolved: Bind does that. Every error is a
// *scim.Error of status 400 and type invalidFilter that names the place, in characters from 1, and the expected
// token.
func Parse(s string, d scim.Dialect) (Expr, error) {
	p := newParser(s, d)
	e, err := p.filter()
	if err != nil && d.UnquotedFilterValues {
		if c, ok := p.unquotedText(s); ok {
			return c, nil
		}
	}
	return e, err
}

func newParser(s string, d scim.Dialect) *parser {
	return &parser{text: s, unquoted: d.UnquotedFilterValues, raw: d.RawBackslashes}
}

// filter reads the whole text.
func (p *parser) filter() (Expr, error) {
	if err := p.start(); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokEnd {
		return nil, p.expected("and, or, or the end")
	}
	return e, nil
}

// unquotedText reads a text that is no valid filter as one comparison, whose value is the whole rest of the text:
// `displayName eq Sales and Marketing (EMEA)`.
func (p *parser) unquotedText(s string) (Expr, bool) {
	if p.start() != nil || p.tok.kind != tokWord {
		return nil, false
	}
	path, err := p.target()
	op := Op(strings.ToLower(p.tok.text))
	if err != nil || path.Filter != nil || p.tok.kind != tokWord || !op.known() || op == Pr {
		return nil, false
	}
	rest := strings.TrimSpace(s[p.tok.pos+len(p.tok.text):])
	if rest == "" || strings.ContainsAny(rest, `"[]`) || rest[0] == '\'' {
		return nil, false
	}
	return Compare{Path: path, Op: op, Value: Value{Kind: Str, Str: rest}}, true
}

// parser walks the tokens of one filter or path with one token of look-ahead. Its recursion is bounded by MaxDepth.
type parser struct {
	text     string
	unquoted bool // a bare word is a string
	raw      bool // a backslash may stand for itself
	path     bool // the text is a PATCH path
	bracket  bool // inside a value filter

	tok         token
	depth       int
	comparisons int
}

// start checks the text as a whole and reads the first token.
func (p *parser) start() error {
	switch {
	case len(p.text) > MaxBytes:
		return scim.BadRequest(p.errorType(), "The %s is %d bytes long; the limit is %d bytes.", p.noun(), len(p.text),
			MaxBytes)
	case !utf8.ValidString(p.text):
		return scim.BadRequest(p.errorType(), "The %s is not valid UTF-8 text.", p.noun())
	}
	p.depth, p.comparisons, p.bracket = 0, 0, false
	p.tok = scan(p.text, 0, p.raw)
	if p.tok.kind == tokEnd {
		return scim.BadRequest(p.errorType(), "The %s is empty.", p.noun())
	}
	return nil
}

func (p *parser) next() {
	from := p.tok.pos + len(p.tok.text)
	p.tok = scan(p.text, from, p.raw)
}

// or reads a chain of or, whose operands are chains of and.
func (p *parser) or() (Expr, error) {
	left, err := p.and()
	for err == nil && p.tok.keyword("or") {
		p.next()
		var right Expr
		if right, err = p.and(); err == nil {
			left = Or{L: left, R: right}
		}
	}
	return left, err
}

func (p *parser) and() (Expr, error) {
	left, err := p.term()
	for err == nil && p.tok.keyword("and") {
		p.next()
		var right Expr
		if right, err = p.term(); err == nil {
			left = And{L: left, R: right}
		}
	}
	return left, err
}

func (p *parser) term() (Expr, error) {
	switch {
	case p.tok.keyword("not"):
		p.next()
		if !p.tok.is("(") {
			return nil, p.expected("( after not")
		}
		x, err := p.enclosed(")")
		if err != nil {
			return nil, err
		}
		return Not{X: x}, nil
	case p.tok.is("("):
		return p.enclosed(")")
	case p.tok.kind == tokWord:
		return p.condition()
	}
	return nil, p.expected("an attribute name, not, or (")
}

// enclosed reads from the opening mark at the current token to the closing one.
func (p *parser) enclosed(closing string) (Expr, error) {
	if p.depth == MaxDepth {
		return nil, p.fail(p.tok.pos, "parentheses and brackets are nested more than %d deep", MaxDepth)
	}
	p.depth++
	p.next()
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.tok.is(closing) {
		return nil, p.expected("and, or, or " + closing)
	}
	p.depth--
	p.next()
	return e, nil
}

// condition reads a comparison or a value path.
func (p *parser) condition() (Expr, error) {
	path, err := p.target()
	if err != nil {
		return nil, err
	}
	if path.Filter != nil && path.Sub == "" {
		return Match{Path: path}, nil
	}
	if p.comparisons++; p.comparisons > MaxComparisons {
		return nil, p.fail(p.tok.pos, "there are more than %d comparisons", MaxComparisons)
	}
	op := Op(strings.ToLower(p.tok.text))
	if p.tok.kind != tokWord || !op.known() {
		return nil, p.expected("an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr)")
	}
	p.next()
	if op == Pr {
		return Compare{Path: path, Op: op}, nil
	}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	return Compare{Path: path, Op: op, Value: v}, nil
}

func (o Op) known() bool {
	switch o {
	case Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le, Pr:
		return true
	}
	return false
}

// value reads the right side of a comparison.
func (p *parser) value() (Value, error) {
	t := p.tok
	var v Value
	switch {
	case t.kind == tokString:
		v = Value{Kind: Str, Str: t.value}
	case t.keyword("null"):
		v = Value{Kind: Null}
	case t.keyword("true"), t.keyword("false"):
		v = Value{Kind: Bool, Bool: t.keyword("true")}
	case t.kind == tokWord && isNumber(t.text):
		v = Value{Kind: Number, Str: t.text}
	case t.kind == tokWord && p.unquoted && t.text[0] != '\'':
		v = Value{Kind: Str, Str: t.text}
	case t.kind == tokWord:
		return Value{}, p.expected(`a value; a string needs double quotes, such as "` +
			short(strings.Trim(t.text, "'")) + `"`)
	default:
		return Value{}, p.expected("a value: a string in double quotes, a number, true, false, or null")
	}
	p.next()
	return v, nil
}

// expected fails at the current token.
func (p *parser) expected(what string) error {
	found := ""
	switch t := p.tok; t.kind {
	case tokBad:
		return p.fail(t.pos, "%s", t.value)
	case tokEnd:
		found = "the end of the " + p.noun()
	case tokString:
		found = "the string " + short(t.text)
	default:
		found = `"` + short(t.text) + `"`
	}
	return p.fail(p.tok.pos, "expected %s; found %s", what, found)
}

// fail makes the error for something wrong at byte offset pos.
func (p *parser) fail(pos int, format string, args ...any) error {
	err := scim.BadRequest(p.errorType(), format, args...)
	prefix := scim.BadRequest(p.errorType(), "The %s is not valid at character %d: ", p.noun(),
		utf8.RuneCountInString(p.text[:pos])+1)
	err.Detail = prefix.Detail + err.Detail + "."
	return err
}

// errorType is invalidPath for a fault of a PATCH path outside brackets, else invalidFilter.
func (p *parser) errorType() scim.ErrorType {
	if p.path && !p.bracket {
		return scim.InvalidPath
	}
	return scim.InvalidFilter
}

func (p *parser) noun() string {
	if p.path {
		return "path"
	}
	return "filter"
}

// short cuts a client's text to a length that fits an error message.
func short(s string) string {
	const limit = 60
	n := 0
	for i := range s {
		if n == limit {
			return s[:i] + "..."
		}
		n++
	}
	return s
}
