package filter_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

var (
	anyName = rapid.StringMatching(
		`(urn:[a-z0-9:.]{0,8}[a-z]:)?[$]?[A-Za-z][A-Za-z0-9_-]{0,5}([.][$]?[a-z][A-Za-z0-9_-]{0,3})?`).
		Filter(func(s string) bool { return !strings.EqualFold(s, "not") })
	anySub = rapid.StringMatching(`[$]?[A-Za-z][A-Za-z0-9_-]{0,5}`)
	anyOp  = rapid.SampledFrom([]filter.Op{
		filter.Eq, filter.Ne, filter.Co, filter.Sw, filter.Ew, filter.Gt, filter.Ge,
		filter.Lt, filter.Le, filter.Pr,
	})
)

func anyValue(t *rapid.T) filter.Value {
	kinds := rapid.SampledFrom([]filter.Kind{filter.Null, filter.Bool, filter.Str, filter.Number})
	switch k := kinds.Draw(t, "kind"); k {
	case filter.Bool:
		return filter.Value{Kind: k, Bool: rapid.Bool().Draw(t, "bool")}
	case filter.Str:
		return filter.Value{Kind: k, Str: rapid.String().Draw(t, "string")}
	case filter.Number:
		return filter.Value{Kind: k, Str: rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})([.][0-9]{1,3})?([eE][+-]?[0-9]{1,2})?`).
			Draw(t, "number")}
	}
	return filter.Value{}
}

// anyTree draws a tree of the grammar: name draws the target of a comparison, value its right side. brackets allows
// value paths.
func anyTree(t *rapid.T, depth int, leaf func(t *rapid.T) filter.Expr) filter.Expr {
	kind := 0
	if depth > 0 {
		kind = rapid.IntRange(0, 4).Draw(t, "shape")
	}
	switch kind {
	case 1:
		return filter.Not{X: anyTree(t, depth-1, leaf)}
	case 2:
		return filter.And{L: anyTree(t, depth-1, leaf), R: anyTree(t, depth-1, leaf)}
	case 3:
		return filter.Or{L: anyTree(t, depth-1, leaf), R: anyTree(t, depth-1, leaf)}
	}
	return leaf(t)
}

func anyComparison(t *rapid.T, p filter.Path) filter.Expr {
	c := filter.Compare{Path: p, Op: anyOp.Draw(t, "op")}
	if c.Op != filter.Pr {
		c.Value = anyValue(t)
	}
	return c
}

func TestPrintParseRoundTrip(t *testing.T) {
	inner := func(t *rapid.T) filter.Expr { return anyComparison(t, filter.Path{Name: anyName.Draw(t, "name")}) }
	leaf := func(t *rapid.T) filter.Expr {
		p := filter.Path{Name: anyName.Draw(t, "name")}
		switch rapid.IntRange(0, 3).Draw(t, "path") {
		case 0:
			p.Filter = anyTree(t, 2, inner)
			return filter.Match{Path: p}
		case 1:
			p.Filter, p.Sub = anyTree(t, 2, inner), anySub.Draw(t, "sub")
		}
		return anyComparison(t, p)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := anyTree(t, 5, leaf)
		s := e.String()
		if len(s) > filter.MaxBytes {
			t.Skip("longer than the limit")
		}
		got, err := filter.Parse(s, scim.Dialect{})
		if err != nil || got != e {
			t.Fatalf("%s\nis read as %v, %v", s, got, err)
		}
	})
}

// The reference below answers the same question as Match, the slow and plain way: it looks every name up in a map from
// name to type, collects the values that the comparison is about, and compares each pair by a method of its own.

var thingTypes = map[string]schema.Type{
	"text": schema.String, "exact": "exact", "flag": schema.Boolean, "count": schema.Integer, "ratio": schema.Decimal,
	"when": schema.DateTime, "blob": schema.Binary, "words": schema.String, "one": schema.String, "many": schema.String,
	"one.value": schema.String, "one.flag": schema.Boolean, "one.count": schema.Integer, "one.words": schema.String,
	"many.value": schema.String, "many.flag": schema.Boolean, "many.count": schema.Integer, "many.words": schema.String,
}

func naive(e filter.Expr, v any, element string) bool {
	switch e := e.(type) {
	case filter.And:
		return naive(e.L, v, element) && naive(e.R, v, element)
	case filter.Or:
		return naive(e.L, v, element) || naive(e.R, v, element)
	case filter.Not:
		return !naive(e.X, v, element)
	case filter.Match:
		return len(passing(e.Path, v)) > 0
	case filter.Compare:
		name := e.Path.Name
		var values []any
		switch {
		case e.Path.Filter != nil:
			values = members(passing(e.Path, v), e.Path.Sub)
			name += "." + e.Path.Sub
		case element != "":
			values = members([]any{v}, name)
			name = element + "." + name
		default:
			values = named(v, name, e.Op == filter.Pr || e.Value.Kind == filter.Null)
		}
		if e.Op == filter.Pr || e.Value.Kind == filter.Null {
			return slices.ContainsFunc(values, there) == (e.Op != filter.Eq)
		}
		if len(values) == 0 {
			values = []any{nil}
		}
		return slices.ContainsFunc(values, func(v any) bool { return naiveCompare(thingTypes[name], e.Op, v, e.Value) })
	}
	panic("unknown expression")
}

func there(v any) bool {
	switch v := v.(type) {
	case scim.Object:
		for _, x := range v {
			if there(x) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(v, there)
	}
	return v != nil && v != ""
}

// list is the values of an attribute.
func list(v any) []any {
	if a, ok := v.([]any); ok {
		return a
	}
	if v == nil {
		return nil
	}
	return []any{v}
}

// members is the values of a sub-attribute in a list of elements; nil for an element without it.
func members(elements []any, sub string) []any {
	var all []any
	for _, e := range elements {
		values := list(e.(scim.Object)[sub])
		if len(values) == 0 {
			values = []any{nil}
		}
		all = append(all, values...)
	}
	return all
}

func passing(p filter.Path, doc any) []any {
	var out []any
	for _, e := range list(doc.(scim.Object)[p.Name]) {
		if naive(p.Filter, e, p.Name) {
			out = append(out, e)
		}
	}
	return out
}

func named(doc any, name string, whole bool) []any {
	attr, sub, dotted := strings.Cut(name, ".")
	values := list(doc.(scim.Object)[attr])
	if !dotted && !whole && (attr == "one" || attr == "many") {
		sub, dotted = "value", true
	}
	if dotted {
		return members(values, sub)
	}
	return values
}

func naiveCompare(typ schema.Type, op filter.Op, v any, want filter.Value) bool {
	if v == nil {
		return op == filter.Ne
	}
	text := func(a, b string) bool {
		switch op {
		case filter.Co:
			return strings.Contains(a, b)
		case filter.Sw:
			return strings.HasPrefix(a, b)
		case filter.Ew:
			return strings.HasSuffix(a, b)
		}
		return holds(op, strings.Compare(a, b))
	}
	switch typ {
	case schema.String:
		return text(scim.Fold(v.(string)), scim.Fold(want.Str))
	case "exact", schema.Binary:
		return text(v.(string), want.Str)
	case schema.Boolean:
		return (v == (want.Bool || strings.ToLower(want.Str) == "true")) == (op == filter.Eq)
	case schema.Integer, schema.Decimal:
		a := new(big.Rat)
		switch v := v.(type) {
		case int64:
			a.SetInt64(v)
		case float64:
			a.SetFloat64(v)
		}
		b, _ := new(big.Rat).SetString(want.Str)
		return holds(op, a.Cmp(b))
	case schema.DateTime:
		if op == filter.Co || op == filter.Sw || op == filter.Ew {
			return text(v.(string), want.Str)
		}
		a, _ := time.Parse(time.RFC3339Nano, v.(string))
		b, _ := time.Parse(time.RFC3339Nano, want.Str)
		return holds(op, int(a.Sub(b)))
	}
	panic("unknown type " + typ)
}

func holds(op filter.Op, c int) bool {
	return map[filter.Op]bool{
		filter.Eq: c == 0, filter.Ne: c != 0, filter.Gt: c > 0, filter.Ge: c >= 0, filter.Lt: c < 0, filter.Le: c <= 0,
	}[op]
}

// Few values, so that equal and neighbouring ones meet often.
var (
	someText = rapid.SampledFrom([]string{"a", "A", "ab", "aB", "b", "ſ", "S", "é", "É", "ß"})
	someTime = rapid.SampledFrom([]string{
		"2026-01-01T00:00:00.000Z", "2026-01-01T01:00:00+01:00",
		"2026-01-01T00:00:00.0000001Z", "2025-12-31T23:59:59Z",
	})
	someWhole = rapid.SampledFrom([]string{
		"0", "1", "-1", "9007199254740992", "9007199254740993", "9223372036854775807",
	})
	someFloat = rapid.SampledFrom([]string{"0", "1.0", "-1", "0.5", "-0.5", "9007199254740992", "1e18", "1e2"})
)

// thingValue draws a document's value of a type, and a filter's.
func thingValue(t *rapid.T, typ schema.Type) (any, filter.Value) {
	number := func(s string) any {
		r, _ := new(big.Rat).SetString(s)
		if r.IsInt() && rapid.Bool().Draw(t, "whole") {
			return r.Num().Int64()
		}
		f, _ := r.Float64()
		return f
	}
	switch typ {
	case schema.Boolean:
		b := rapid.Bool().Draw(t, "bool")
		if rapid.Bool().Draw(t, "quoted") {
			return b, str(map[bool]string{true: "True", false: "fAlse"}[b])
		}
		return b, filter.Value{Kind: filter.Bool, Bool: b}
	case schema.Integer:
		s := someWhole.Draw(t, "integer")
		r, _ := new(big.Rat).SetString(s)
		return r.Num().Int64(), filter.Value{Kind: filter.Number, Str: s}
	case schema.Decimal:
		s := someFloat.Draw(t, "decimal")
		return number(s), filter.Value{Kind: filter.Number, Str: s}
	case schema.DateTime:
		s := someTime.Draw(t, "time")
		return s, str(s)
	}
	s := someText.Draw(t, "text")
	return s, str(s)
}

// thingObject draws the values of attributes; each may be missing.
func thingObject(t *rapid.T, attrs []*schema.Attribute, prefix string) scim.Object {
	o := scim.Object{}
	one := func(a *schema.Attribute) any {
		if a.Type == schema.Complex {
			return thingObject(t, a.SubAttributes, a.Name+".")
		}
		v, _ := thingValue(t, thingTypes[prefix+a.Name])
		return v
	}
	for _, a := range attrs {
		n := rapid.IntRange(0, 2).Draw(t, a.Name)
		if thingTypes[prefix+a.Name] == "" || n == 0 {
			continue
		}
		if !a.MultiValued {
			o[a.Name] = one(a)
			continue
		}
		var values []any
		for range n {
			values = append(values, one(a))
		}
		o[a.Name] = values
	}
	return o
}

func thingComparison(t *rapid.T, p filter.Path, typ schema.Type) filter.Expr {
	ops := []filter.Op{filter.Eq, filter.Ne, filter.Pr}
	if typ != schema.Boolean && typ != schema.Binary {
		ops = append(ops, filter.Gt, filter.Ge, filter.Lt, filter.Le)
	}
	if typ != schema.Boolean && typ != schema.Integer && typ != schema.Decimal {
		ops = append(ops, filter.Co, filter.Sw, filter.Ew)
	}
	c := filter.Compare{Path: p, Op: rapid.SampledFrom(ops).Draw(t, "op")}
	if c.Op == filter.Pr || (c.Op == filter.Eq || c.Op == filter.Ne) && rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return c
	}
	_, c.Value = thingValue(t, typ)
	return c
}

func TestMatchEqualsReference(t *testing.T) {
	names := rapid.SampledFrom([]string{
		"text", "exact", "flag", "count", "ratio", "when", "blob", "words", "one", "many",
		"one.value", "one.flag", "one.count", "one.words", "many.value", "many.flag", "many.count", "many.words",
	})
	outer := rapid.SampledFrom([]string{"one", "many"})
	subs := rapid.SampledFrom([]string{"value", "flag", "count", "words"})
	leaf := func(t *rapid.T) filter.Expr {
		shape := rapid.IntRange(0, 3).Draw(t, "path")
		if shape > 1 {
			name := names.Draw(t, "name")
			return thingComparison(t, filter.Path{Name: name}, thingTypes[name])
		}
		attr := outer.Draw(t, "attribute")
		p := filter.Path{Name: attr, Filter: anyTree(t, 2, func(t *rapid.T) filter.Expr {
			sub := subs.Draw(t, "name")
			return thingComparison(t, filter.Path{Name: sub}, thingTypes[attr+"."+sub])
		})}
		if shape == 0 {
			return filter.Match{Path: p}
		}
		p.Sub = subs.Draw(t, "sub")
		return thingComparison(t, p, thingTypes[attr+"."+p.Sub])
	}
	rapid.Check(t, func(t *rapid.T) {
		e := anyTree(t, 3, leaf)
		doc := thingObject(t, things.Core.Attributes, "")
		m, err := filter.Bind(e, things, scim.Dialect{})
		if err != nil {
			t.Fatalf("%v: %v", e, err)
		}
		if got, want := m.Match(doc), naive(e, doc, ""); got != want {
			t.Fatalf("%v\non %s\ngot %v, want %v", e, scim.AppendJSON(nil, doc), got, want)
		}
	})
}
