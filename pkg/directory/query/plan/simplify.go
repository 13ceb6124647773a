package plan

import (
	"cmp"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Truth is the result of a filter as far as it is known before any resource is looked at.
type Truth int

// The results: it depends on the resource, all resources match, none matches.
const (
	Unknown Truth = iota
	Always
	Never
)

// Scope gives the names in a filter their meaning.
type Scope struct {
	// Type is the resource type that the filter is simplified for; Others are those of the same query.
	Type   *schema.ResourceType
	Others []*schema.ResourceType
	// BareNames says that bare names of extension attributes are understood.
	BareNames bool
}

// Simplify returns an equivalent filter and its truth. The filter is of use only if that is Unknown.
func (s Scope) Simplify(e filter.Expr) (filter.Expr, Truth) {
	switch e := e.(type) {
	case filter.And:
		l, lt := s.Simplify(e.L)
		r, rt := s.Simplify(e.R)
		return join(l, r, lt, rt, Always, Never, func(l, r filter.Expr) filter.Expr { return filter.And{L: l, R: r} })
	case filter.Or:
		l, lt := s.Simplify(e.L)
		r, rt := s.Simplify(e.R)
		return join(l, r, lt, rt, Never, Always, func(l, r filter.Expr) filter.Expr { return filter.Or{L: l, R: r} })
	case filter.Not:
		x, t := s.Simplify(e.X)
		switch t {
		case Always:
			return nil, Never
		case Never:
			return nil, Always
		}
		return filter.Not{X: x}, Unknown
	case filter.Compare:
		return e, s.compare(e)
	case filter.Match:
		if s.foreign(e.Path.Name) {
			return e, Never
		}
	}
	return e, Unknown
}

// join joins the two sides of "and" or "or". A side that is known may be neutral, or decide alone.
func join(l, r filter.Expr, lt, rt, neutral, decides Truth, both func(l, r filter.Expr) filter.Expr) (
	filter.Expr, Truth,
) {
	switch {
	case lt == decides || rt == decides:
		return nil, decides
	case lt == neutral:
		return r, rt
	case rt == neutral:
		return l, lt
	}
	return both(l, r), Unknown
}

func (s Scope) compare(c filter.Compare) Truth {
	if s.foreign(c.Path.Name) {
		// An attribute without a value compares as unequal to everything, and as equal to null (RFC 7644, section
		// 3.4.2.1).
		if c.Value.Kind == filter.Null && c.Op != filter.Pr {
			return of(c.Op == filter.Eq)
		}
		return of(c.Op == filter.Ne)
	}
	ref, ok := s.Type.Lookup(c.Path.Name, s.BareNames)
	if !ok || ref.Extension != nil || ref.Attr == nil || c.Path.Filter != nil {
		return Unknown
	}
	switch name := ref.Attr.Name; {
	case c.Op == filter.Pr && ref.Sub == nil &&
		(ref.Attr.Required && !ref.Attr.MultiValued || name == "id" || name == "schemas" || name == "meta"):
		return Always
	case c.Op == filter.Eq && c.Value.Kind == filter.Str && name == "schemas" &&
		strings.EqualFold(c.Value.Str, s.Type.Core.ID):
		return Always
	case c.Op == filter.Eq && c.Value.Kind == filter.Str && name == "meta" && ref.Sub != nil &&
		ref.Sub.Name == "resourceType":
		return of(ref.Sub.CaseExact && c.Value.Str == s.Type.ID || !ref.Sub.CaseExact &&
			scim.Fold(c.Value.Str) == scim.Fold(s.Type.ID))
	}
	return Unknown
}

func of(yes bool) Truth {
	if yes {
		return Always
	}
	return Never
}

// foreign reports whether a name is an attribute of another type of the query and none of this one.
func (s Scope) foreign(name string) bool {
	if _, own := s.Type.Lookup(name, s.BareNames); own {
		return false
	}
	for _, other := range s.Others {
		if ref, ok := other.Lookup(name, s.BareNames); ok && Shown(ref) {
			return true
		}
	}
	return false
}

// Nowhere returns the first name in a filter that no type has as an attribute, else "". Names in brackets are not
// checked: they depend on the attribute before the brackets.
func Nowhere(e filter.Expr, types []*schema.ResourceType) string {
	known := func(name string) string {
		for _, rt := range types {
			if _, ok := rt.Lookup(name, true); ok {
				return ""
			}
		}
		return name
	}
	switch e := e.(type) {
	case filter.And:
		return cmp.Or(Nowhere(e.L, types), Nowhere(e.R, types))
	case filter.Or:
		return cmp.Or(Nowhere(e.L, types), Nowhere(e.R, types))
	case filter.Not:
		return Nowhere(e.X, types)
	case filter.Compare:
		return known(e.Path.Name)
	case filter.Match:
		return known(e.Path.Name)
	}
	return ""
}

// Shown reports whether an attribute is returned at all: filters and sorting do not know one that never is.
func Shown(ref schema.Ref) bool {
	return (ref.Attr == nil || ref.Attr.Returned != schema.Never) &&
		(ref.Sub == nil || ref.Sub.Returned != schema.Never)
}

// Known returns an equivalent filter for resources of the type, without the names that are foreign to it: a comparison
// that is always true, or never, is in their place. All others can be checked.
func (s Scope) Known(e filter.Expr) filter.Expr {
	switch e := e.(type) {
	case filter.And:
		return filter.And{L: s.Known(e.L), R: s.Known(e.R)}
	case filter.Or:
		return filter.Or{L: s.Known(e.L), R: s.Known(e.R)}
	case filter.Not:
		return filter.Not{X: s.Known(e.X)}
	case filter.Compare:
		if s.foreign(e.Path.Name) {
			return constant(s.compare(e))
		}
	case filter.Match:
		if s.foreign(e.Path.Name) {
			return constant(Never)
		}
	}
	return e
}

// constant is a filter that all resources match, or none.
func constant(t Truth) filter.Expr {
	all := filter.Compare{Path: filter.Path{Name: "id"}, Op: filter.Pr}
	if t == Always {
		return all
	}
	return filter.Not{X: all}
}

// Mentions reports whether a filter asks about a core attribute.
func Mentions(e filter.Expr, rt *schema.ResourceType, attribute string) bool {
	return asks(e, rt, func(r schema.Ref) bool { return Is(r, attribute) })
}

// Mixed reports whether a filter asks about a core attribute and about something else that may change.
func Mixed(e filter.Expr, rt *schema.ResourceType, attribute string) bool {
	return Mentions(e, rt, attribute) &&
		asks(e, rt, func(r schema.Ref) bool { return !Is(r, attribute) && !Is(r, "id") })
}

// Is reports whether an attribute is the core attribute of that name, or a part of it.
func Is(r schema.Ref, attribute string) bool {
	return r.Attr != nil && r.Extension == nil && strings.EqualFold(r.Attr.Name, attribute)
}

func asks(e filter.Expr, rt *schema.ResourceType, is func(schema.Ref) bool) bool {
	path := ""
	switch e := e.(type) {
	case filter.And:
		return asks(e.L, rt, is) || asks(e.R, rt, is)
	case filter.Or:
		return asks(e.L, rt, is) || asks(e.R, rt, is)
	case filter.Not:
		return asks(e.X, rt, is)
	case filter.Compare:
		path = e.Path.Name
	case filter.Match:
		path = e.Path.Name
	}
	ref, _ := rt.Lookup(path, false)
	return is(ref)
}
