package filter

const hexDigits = "0123456789abcdef"

// Precedence levels of expressions: an operand gets parentheses if its level is below that of its place.
const (
	orLevel = iota
	andLevel
	termLevel
)

// String prints the filter.
func (e And) String() string { return string(appendExpr(nil, e, orLevel)) }

// String prints the filter.
func (e Or) String() string { return string(appendExpr(nil, e, orLevel)) }

// String prints the filter.
func (e Not) String() string { return string(appendExpr(nil, e, orLevel)) }

// String prints the filter.
func (e Compare) String() string { return string(appendExpr(nil, e, orLevel)) }

// String prints the filter.
func (e Match) String() string { return string(appendExpr(nil, e, orLevel)) }

// String prints the path.
func (p Path) String() string { return string(appendPath(nil, p)) }

// String prints the value as the right side of a comparison: a string in quotes.
func (v Value) String() string { return string(appendValue(nil, v)) }

// appendExpr prints e for a place that takes expressions of at least the precedence level. And and Or are read from
// the left, so that a right operand of the same kind needs parentheses.
func appendExpr(b []byte, e Expr, level int) []byte {
	switch e := e.(type) {
	case Or:
		return appendBinary(b, e.L, e.R, orLevel, level)
	case And:
		return appendBinary(b, e.L, e.R, andLevel, level)
	case Not:
		b = append(b, "not ("...)
		b = appendExpr(b, e.X, orLevel)
		return append(b, ')')
	case Compare:
		b = appendPath(b, e.Path)
		b = append(b, ' ')
		b = append(b, e.Op...)
		if e.Op == Pr {
			return b
		}
		b = append(b, ' ')
		return appendValue(b, e.Value)
	case Match:
		return appendPath(b, e.Path)
	}
	return b
}

// appendBinary writes l or r, or l and r: own is the level of the operator.
func appendBinary(b []byte, l, r Expr, own, level int) []byte {
	op := " and "
	if own == orLevel {
		op = " or "
	}
	if own < level {
		b = append(b, '(')
	}
	b = appendExpr(b, l, own)
	b = append(b, op...)
	b = appendExpr(b, r, own+1)
	if own < level {
		b = append(b, ')')
	}
	return b
}

func appendPath(b []byte, p Path) []byte {
	b = append(b, p.Name...)
	if p.Filter == nil {
		return b
	}
	b = append(b, '[')
	b = appendExpr(b, p.Filter, orLevel)
	b = append(b, ']')
	if p.Sub != "" {
		b = append(b, '.')
		b = append(b, p.Sub...)
	}
	return b
}

func appendValue(b []byte, v Value) []byte {
	switch v.Kind {
	case Bool:
		if v.Bool {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case Str:
		return appendString(b, v.Str)
	case Number:
		return append(b, v.Str...)
	}
	return append(b, "null"...)
}

// appendString prints s as a JSON string with no escape but the ones that JSON asks for.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= ' ':
			b = append(b, c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(b, '"')
}
