package plan

import (
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Part is a filter, or what it always is: Expr is of use only if Truth is Unknown.
type Part struct {
	Expr  filter.Expr
	Truth Truth
}

// Bounds are what one source of a resource says about a filter, whatever the other says: a resource for which Must
// holds matches, and one for which May does not hold does not match.
type Bounds struct{ Must, May Part }

// Sides takes a filter apart by the two sources of a resource of type rt: its document, and its groups or members,
// which is the attribute attached. mixed is false if the filter asks one of them only. An id counts for neither: it
// never changes.
func Sides(e filter.Expr, rt *schema.ResourceType, attached string) (document, memberships Bounds, mixed bool) {
	of := sides{rt: rt, attached: attached}
	document = Bounds{Must: of.without(e, true, Never), May: of.without(e, true, Always)}
	memberships = Bounds{Must: of.without(e, false, Never), May: of.without(e, false, Always)}
	return document, memberships, of.inDocument && of.inMemberships
}

type sides struct {
	rt                        *schema.ResourceType
	attached                  string
	inDocument, inMemberships bool // the filter asks there
}

// without returns the filter with a truth in the place of each comparison of groups or members, or of each other one.
func (s *sides) without(e filter.Expr, memberships bool, truth Truth) Part {
	switch e := e.(type) {
	case filter.And:
		l, r := s.without(e.L, memberships, truth), s.without(e.R, memberships, truth)
		return part(join(l.Expr, r.Expr, l.Truth, r.Truth, Always, Never, And))
	case filter.Or:
		l, r := s.without(e.L, memberships, truth), s.without(e.R, memberships, truth)
		return part(join(l.Expr, r.Expr, l.Truth, r.Truth, Never, Always,
			func(l, r filter.Expr) filter.Expr { return filter.Or{L: l, R: r} }))
	case filter.Not:
		x := s.without(e.X, memberships, opposite(truth))
		return Part{filter.Not{X: x.Expr}, opposite(x.Truth)}
	case filter.Compare:
		return s.leaf(e, e.Path.Name, memberships, truth)
	case filter.Match:
		return s.leaf(e, e.Path.Name, memberships, truth)
	}
	return Part{Expr: e}
}

func (s *sides) leaf(e filter.Expr, name string, memberships bool, truth Truth) Part {
	ref, ok := s.rt.Lookup(name, false)
	core := ok && ref.Attr != nil && ref.Extension == nil
	switch own := core && strings.EqualFold(ref.Attr.Name, s.attached); {
	case own:
		s.inMemberships = true
		if memberships {
			return Part{Truth: truth}
		}
	case core && ref.Attr.Name == "id":
	default:
		s.inDocument = true
		if !memberships {
			return Part{Truth: truth}
		}
	}
	return Part{Expr: e}
}

func part(e filter.Expr, t Truth) Part { return Part{e, t} }

func opposite(t Truth) Truth {
	switch t {
	case Always:
		return Never
	case Never:
		return Always
	}
	return Unknown
}
