package filter

import (
	"bytes"
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// leaf makes the test of one value of attribute a, which the filter calls name. It is not asked for pr.
func (b binder) leaf(a *schema.Attribute, name string, op Op, v Value) (test, error) {
	name = short(name)
	if v.Kind == Null {
		return nil, scim.BadRequest(scim.InvalidFilter,
			"The filter compares %q with null by %s; only eq and ne can compare with null.", name, op)
	}
	if !applies(op, a.Type) {
		return nil, scim.BadRequest(scim.InvalidFilter,
			"The operator %s does not apply to %q, which is of type %s.", op, name, a.Type)
	}
	switch a.Type {
	case schema.Complex:
		return nil, wholeComplex(name, a)
	case schema.Boolean:
		return b.booleanTest(name, op, v)
	case schema.Integer, schema.Decimal:
		return numberTest(name, op, v)
	case schema.DateTime:
		if op == Co || op == Sw || op == Ew {
			return b.textTest(name, op, v, true)
		}
		return timeTest(name, op, v)
	}
	return b.textTest(name, op, v, a.CaseExact || a.Type == schema.Binary)
}

// applies reports whether an operator goes with a type. RFC 7644 names the ordering of Boolean and binary values as an
// error; a Boolean or a number has no parts to look for either.
func applies(op Op, t schema.Type) bool {
	switch op {
	case Gt, Ge, Lt, Le:
		return t != schema.Boolean && t != schema.Binary
	case Co, Sw, Ew:
		return t != schema.Boolean && t != schema.Integer && t != schema.Decimal
	}
	return true
}

// ordered turns the result of a three-way comparison into that of op.
func ordered(op Op, c int) bool {
	switch op {
	case Eq:
		return c == 0
	case Ne:
		return c != 0
	case Gt:
		return c > 0
	case Ge:
		return c >= 0
	case Lt:
		return c < 0
	case Le:
		return c <= 0
	}
	return false
}

// textTest compares strings. If bare words are strings, so are those that look like a number or a Boolean.
func (b binder) textTest(name string, op Op, v Value, exact bool) (test, error) {
	s := v.Str
	if v.Kind != Str {
		if !b.d.UnquotedFilterValues {
			return nil, scim.BadRequest(scim.InvalidFilter,
				`%q holds text: its value must stand in double quotes, as in %s %s "%s".`,
				name, name, op, short(v.String()))
		}
		s = v.String()
	}
	if !exact {
		s = scim.Fold(s)
	}
	want := []byte(s)
	return func(v any) bool {
		s, ok := v.(string)
		if !ok {
			return op == Ne
		}
		var buf [256]byte
		var got []byte
		if exact {
			got = append(buf[:0], s...)
		} else {
			got = appendFolded(buf[:0], s)
		}
		switch op {
		case Co:
			return bytes.Contains(got, want)
		case Sw:
			return bytes.HasPrefix(got, want)
		case Ew:
			return bytes.HasSuffix(got, want)
		}
		return ordered(op, bytes.Compare(got, want))
	}, nil
}

// appendFolded appends scim.Fold(s), without a detour over the heap for ASCII.
func appendFolded(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 0x80:
			return append(b, scim.Fold(s[i:])...)
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// booleanTest compares Booleans, quoted or not.
func (b binder) booleanTest(name string, op Op, v Value) (test, error) {
	want := v.Bool
	switch {
	case v.Kind == Str && strings.EqualFold(v.Str, "true"):
		want = true
	case v.Kind == Str && strings.EqualFold(v.Str, "false"), v.Kind == Bool:
	case b.d.ConvertTypes && (v.Str == "1" || v.Str == "0"): // as a number or quoted
		want = v.Str == "1"
	default:
		return nil, scim.BadRequest(scim.InvalidFilter, "%q is a Boolean: its value must be true or false.", name)
	}
	return func(v any) bool {
		got, ok := v.(bool)
		return (ok && got == want) == (op == Eq)
	}, nil
}

// numberTest compares numbers by value: 1 and 1.0 are equal.
func numberTest(name string, op Op, v Value) (test, error) {
	if v.Kind != Number {
		return nil, scim.BadRequest(scim.InvalidFilter,
			"%q is a number: its value must be a number without quotes.", name)
	}
	whole, err := strconv.ParseInt(v.Str, 10, 64)
	isWhole := err == nil
	float, _ := strconv.ParseFloat(v.Str, 64) // too large a number is an infinity, and compares as one
	return func(v any) bool {
		var c int
		switch got := v.(type) {
		case int64:
			if isWhole {
				c = cmp.Compare(got, whole)
			} else {
				c = compareMixed(got, float)
			}
		case float64:
			if isWhole {
				c = -compareMixed(whole, got)
			} else {
				c = cmp.Compare(got, float)
			}
		default:
			return op == Ne
		}
		return ordered(op, c)
	}, nil
}

// compareMixed compares exactly: a conversion of i to float64 would round.
func compareMixed(i int64, f float64) int {
	switch {
	case math.IsNaN(f):
		return 1
	case f >= 1<<63:
		return -1
	case f < -(1 << 63):
		return 1
	}
	if c := cmp.Compare(i, int64(f)); c != 0 {
		return c
	}
	return cmp.Compare(0, f-math.Trunc(f))
}

// timeTest compares instants.
func timeTest(name string, op Op, v Value) (test, error) {
	want, ok := parseTime(v.Str)
	if v.Kind != Str || !ok {
		hint := ""
		if strings.Contains(v.Str, " ") {
			hint = " In a URL, write the plus sign of a time zone as %2B."
		}
		return nil, scim.BadRequest(scim.InvalidFilter,
			`%q is a dateTime: its value must look like "2026-11-22T08:00:00Z".%s`, name, hint)
	}
	return func(v any) bool {
		s, _ := v.(string)
		got, ok := parseTime(s)
		if !ok {
			return op == Ne
		}
		return ordered(op, got.Compare(want))
	}, nil
}

// parseTime reads an xsd:dateTime (RFC 7643, section 2.3.5) with any number of fractional digits, of which nine count.
// Without a zone it is UTC.
func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05", s)
	}
	return t, err == nil
}
