package directory

import (
	"cmp"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// truth is what is known about a filter before any resource is looked at.
type truth int

const (
	unknown truth = iota
	always
	never
)

// simplifier takes out of a filter what is the same for all resources of a type, so that `meta.resourceType eq "Group"`, or a look-up
// by userName across all types, does not read what can't match, and `id pr` is a list of all.
type simplifier struct {
	rt     *schema.ResourceType
	others []*schema.ResourceType // of the same query
	extra  bool                   // bare names of extension attributes are understood
}

// simplify returns an equivalent filter, or what it always is.
func (s simplifier) simplify(e filter.Expr) (filter.Expr, truth) {
	switch e := e.(type) {
	case filter.And:
		l, lt := s.simplify(e.L)
		r, rt := s.simplify(e.R)
		return join(l, r, lt, rt, always, never, func(l, r filter.Expr) filter.Expr { return filter.And{L: l, R: r} })
	case filter.Or:
		l, lt := s.simplify(e.L)
		r, rt := s.simplify(e.R)
		return join(l, r, lt, rt, never, always, func(l, r filter.Expr) filter.Expr { return filter.Or{L: l, R: r} })
	case filter.Not:
		x, t := s.simplify(e.X)
		switch t {
		case always:
			return nil, never
		case never:
			return nil, always
		}
		return filter.Not{X: x}, unknown
	case filter.Compare:
		return e, s.compare(e)
	case filter.Match:
		if s.foreign(e.Path.Name) {
			return e, never
		}
	}
	return e, unknown
}

// join joins two sides of which one may be neutral, or decide alone.
func join(l, r filter.Expr, lt, rt, neutral, decides truth, both func(l, r filter.Expr) filter.Expr) (filter.Expr, truth) {
	switch {
	case lt == decides || rt == decides:
		return nil, decides
	case lt == neutral:
		return r, rt
	case rt == neutral:
		return l, lt
	}
	return both(l, r), unknown
}

func (s simplifier) compare(c filter.Compare) truth {
	if s.foreign(c.Path.Name) {
		// What has no value compares as unequal to everything, and as equal to null (RFC 7644, section 3.4.2.1).
		if c.Value.Kind == filter.Null && c.Op != filter.Pr {
			return of(c.Op == filter.Eq)
		}
		return of(c.Op == filter.Ne)
	}
	ref, ok := s.rt.Lookup(c.Path.Name, s.extra)
	if !ok || ref.Extension != nil || ref.Attr == nil || c.Path.Filter != nil {
		return unknown
	}
	switch name := ref.Attr.Name; {
	case c.Op == filter.Pr && ref.Sub == nil && (ref.Attr.Required && !ref.Attr.MultiValued || name == "id" || name == "schemas" || name == "meta"):
		return always
	case c.Op == filter.Eq && c.Value.Kind == filter.Str && name == "schemas" && strings.EqualFold(c.Value.Str, s.rt.Core.ID):
		return always
	case c.Op == filter.Eq && c.Value.Kind == filter.Str && name == "meta" && ref.Sub != nil && ref.Sub.Name == "resourceType":
		return of(ref.Sub.CaseExact && c.Value.Str == s.rt.ID || !ref.Sub.CaseExact && scim.Fold(c.Value.Str) == scim.Fold(s.rt.ID))
	}
	return unknown
}

func of(yes bool) truth {
	if yes {
		return always
	}
	return never
}

// foreign reports whether a name is an attribute of another type of the query and none of this one.
func (s simplifier) foreign(name string) bool {
	if _, own := s.rt.Lookup(name, s.extra); own {
		return false
	}
	for _, other := range s.others {
		if ref, ok := other.Lookup(name, s.extra); ok && shown(ref) {
			return true
		}
	}
	return false
}

// nowhere returns the first name in a filter that is an attribute of none of the types; "" if there is none. Names in brackets are left
// to who knows what stands before these.
func nowhere(e filter.Expr, types []*schema.ResourceType) string {
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
		return cmp.Or(nowhere(e.L, types), nowhere(e.R, types))
	case filter.Or:
		return cmp.Or(nowhere(e.L, types), nowhere(e.R, types))
	case filter.Not:
		return nowhere(e.X, types)
	case filter.Compare:
		return known(e.Path.Name)
	case filter.Match:
		return known(e.Path.Name)
	}
	return ""
}

// shown reports whether an attribute is returned at all: what is not is unknown to filters and sorting.
func shown(ref schema.Ref) bool {
	return (ref.Attr == nil || ref.Attr.Returned != schema.Never) && (ref.Sub == nil || ref.Sub.Returned != schema.Never)
}

// known returns the filter with a harmless comparison in the place of each that names a foreign attribute, so that all others can be
// checked.
func (s simplifier) known(e filter.Expr) filter.Expr {
	harmless := filter.Compare{Path: filter.Path{Name: "id"}, Op: filter.Pr}
	switch e := e.(type) {
	case filter.And:
		return filter.And{L: s.known(e.L), R: s.known(e.R)}
	case filter.Or:
		return filter.Or{L: s.known(e.L), R: s.known(e.R)}
	case filter.Not:
		return filter.Not{X: s.known(e.X)}
	case filter.Compare:
		if s.foreign(e.Path.Name) {
			return harmless
		}
	case filter.Match:
		if s.foreign(e.Path.Name) {
			return harmless
		}
	}
	return e
}

// mentions reports whether a filter asks about an attribute.
func mentions(e filter.Expr, rt *schema.ResourceType, attribute string) bool {
	names := func(name string) bool {
		ref, ok := rt.Lookup(name, false)
		return ok && ref.Attr != nil && ref.Extension == nil && strings.EqualFold(ref.Attr.Name, attribute)
	}
	switch e := e.(type) {
	case filter.And:
		return mentions(e.L, rt, attribute) || mentions(e.R, rt, attribute)
	case filter.Or:
		return mentions(e.L, rt, attribute) || mentions(e.R, rt, attribute)
	case filter.Not:
		return mentions(e.X, rt, attribute)
	case filter.Compare:
		return names(e.Path.Name)
	case filter.Match:
		return names(e.Path.Name)
	}
	return false
}
