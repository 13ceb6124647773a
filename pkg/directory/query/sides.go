package query

import (
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/lookup"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// sides decide whether a filter that asks about a document and about its groups or members has to see both as of one
// moment.
type sides struct{ must, may [2]half }

// half is a filter that asks one source; if it is nil, the answer is always the same.
type half struct {
	matcher *filter.Matcher
	always  bool
}

func (h half) match(doc scim.Object) bool {
	return h.matcher == nil && h.always || h.matcher != nil && h.matcher.Match(doc)
}

// newSides returns nil for a filter that asks one source only.
func newSides(e filter.Expr, rt *schema.ResourceType, d scim.Dialect) (*sides, error) {
	document, memberships, mixed := plan.Sides(e, rt, lookup.Attached(rt))
	if !mixed {
		return nil, nil
	}
	s := &sides{}
	for i, b := range []plan.Bounds{document, memberships} {
		var err error
		if s.must[i], err = newHalf(b.Must, rt, d); err != nil {
			return nil, err
		}
		if s.may[i], err = newHalf(b.May, rt, d); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func newHalf(p plan.Part, rt *schema.ResourceType, d scim.Dialect) (half, error) {
	if p.Truth != plan.Unknown {
		return half{always: p.Truth == plan.Always}, nil
	}
	m, err := filter.Bind(p.Expr, rt, d)
	return half{matcher: m}, err
}

// weigh holds a document, with its groups or members in it, against the filter. The result is open if it rests on both:
// neither alone makes sure of it, and so it may be that of a resource that never was. If one alone makes sure, then the
// resource did match, or did not, at the moment when that one was read.
func (k *kind) weigh(doc scim.Object) (matches, open bool) {
	if k.filter == nil {
		return true, false
	}
	matches = k.matches.Match(doc)
	switch s := k.sides; {
	case s == nil:
		return matches, false
	case matches:
		return true, !s.must[0].match(doc) && !s.must[1].match(doc)
	default:
		return false, s.may[0].match(doc) && s.may[1].match(doc)
	}
}
