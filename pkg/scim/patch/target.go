package patch

import (
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// target is a path with its names resolved.
type target struct {
	// extension is nil for the core schema.
	extension *schema.Schema
	// attr is nil if the path is the URN of a whole schema.
	attr *schema.Attribute
	// sub is the sub-attribute after the dot or the bracket; nil if none.
	sub *schema.Attribute
	// expr is the value filter, nil if none, and match decides it on an element.
	expr  filter.Expr
	match *filter.ElementMatcher
	// comparisons is the number of comparisons in expr.
	comparisons int
}

// resolve looks up a path's names. It is false if one of them is unknown; the target then holds the known part.
func (p *patcher) resolve(path filter.Path) (target, bool, error) {
	if path.Name == "" {
		return target{}, false, nil
	}
	if path.Filter == nil && scim.Fold(path.Name) == scim.Fold(p.t.Core.ID) {
		return target{}, true, nil
	}
	ref, ok := p.t.Lookup(path.Name, p.d.BareExtensionNames)
	if !ok {
		if dot := strings.LastIndexByte(path.Name, '.'); dot > 0 {
			ref, _ = p.t.Lookup(path.Name[:dot], p.d.BareExtensionNames)
		}
		return target{extension: ref.Extension, attr: ref.Attr}, false, nil
	}
	tg := target{extension: ref.Extension, attr: ref.Attr, sub: ref.Sub, expr: path.Filter}
	if path.Filter == nil {
		return tg, true, nil
	}
	switch {
	case tg.attr == nil || tg.sub != nil || tg.attr.Type != schema.Complex && !tg.attr.MultiValued:
		return target{}, true, scim.BadRequest(scim.InvalidPath, "%s can't have a value filter.", shortened(path.Name))
	case path.Sub != "":
		if tg.sub = tg.attr.Sub(path.Sub); tg.sub == nil {
			return tg, false, nil
		}
	}
	var err error
	if tg.match, err = filter.BindElement(path.Filter, tg.attr, p.d); err != nil {
		if p.d.IgnoreUnknownPaths && !namesKnown(path.Filter, tg.attr) {
			return tg, false, nil
		}
		return target{}, true, err
	}
	tg.comparisons = comparisons(path.Filter)
	return tg, true, nil
}

// comparisons counts those of a value filter.
func comparisons(e filter.Expr) int {
	switch e := e.(type) {
	case filter.And:
		return comparisons(e.L) + comparisons(e.R)
	case filter.Or:
		return comparisons(e.L) + comparisons(e.R)
	case filter.Not:
		return comparisons(e.X)
	}
	return 1
}

// namesKnown reports whether a value filter of a names nothing but its sub-attributes.
func namesKnown(e filter.Expr, a *schema.Attribute) bool {
	switch e := e.(type) {
	case filter.And:
		return namesKnown(e.L, a) && namesKnown(e.R, a)
	case filter.Or:
		return namesKnown(e.L, a) && namesKnown(e.R, a)
	case filter.Not:
		return namesKnown(e.X, a)
	case filter.Compare:
		return a.Sub(e.Path.Name) != nil || a.Type != schema.Complex
	}
	return true
}

// isSchemas reports whether the target is the attribute that lists a resource's schemas.
func (tg target) isSchemas() bool {
	return tg.extension == nil && tg.attr != nil && tg.attr.Name == "schemas"
}

// readOnly returns the name of the read-only attribute or sub-attribute of the target; "" if there is none.
func (tg target) readOnly() string {
	switch {
	case tg.attr == nil || tg.isSchemas():
		return ""
	case tg.attr.Mutability == schema.ReadOnly:
		return tg.attr.Name
	case tg.sub != nil && tg.sub.Mutability == schema.ReadOnly:
		return tg.attr.Name + "." + tg.sub.Name
	}
	return ""
}

// required returns the name of the required attribute that removing the target would unassign; "" if there is none.
// If a list of values or a filter selects the removed values, the result decides, not the path.
func (tg target) required(value any) string {
	switch {
	case tg.sub != nil && tg.sub.Required:
		return tg.attr.Name + "." + tg.sub.Name
	case tg.sub == nil && tg.attr.Required && tg.expr == nil && (value == nil || !tg.attr.MultiValued):
		return tg.attr.Name
	}
	return ""
}
