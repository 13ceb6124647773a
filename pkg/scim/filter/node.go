package filter

import "github.com/serverless-scim/serverless-scim/pkg/scim/schema"

// node is a part of a bound filter: a comparison, or one or two parts joined.
type node struct {
	op    operator
	parts []node     // two, or the one that is negated
	test  test       // of a comparison
	ref   schema.Ref // the compared attribute; none in a value filter
}

type operator int

const (
	comparison operator = iota
	both
	either
	not
)

func (n *node) match(v any) bool {
	switch n.op {
	case both:
		return n.parts[0].match(v) && n.parts[1].match(v)
	case either:
		return n.parts[0].match(v) || n.parts[1].match(v)
	case not:
		return !n.parts[0].match(v)
	}
	return n.test(v)
}

// with is match, but comparisons of attributes that is does not select are not evaluated: they count for the filter
// if others is true, else against it.
func (n *node) with(v any, is func(schema.Ref) bool, others bool) bool {
	switch n.op {
	case both:
		return n.parts[0].with(v, is, others) && n.parts[1].with(v, is, others)
	case either:
		return n.parts[0].with(v, is, others) || n.parts[1].with(v, is, others)
	case not:
		return !n.parts[0].with(v, is, !others)
	}
	if is(n.ref) {
		return n.test(v)
	}
	return others
}
