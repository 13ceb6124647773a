package patch

import (
	"slices"
	"strconv"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// removeValues is old without the elements that list names. An entry names the elements that agree with each of its
// sub-attributes, so that a value alone is enough; one that says nothing names none.
func (p *patcher) removeValues(a *schema.Attribute, old, list []any) ([]any, error) {
	if len(old) == 0 {
		return old, nil
	}
	byValue := map[string][]any{}
	var loose []scim.Object
	for _, raw := range list {
		e, err := a.NormalizeElement(raw, p.d)
		if err != nil {
			return nil, err
		}
		e = shown(a, e)
		obj, isObject := e.(scim.Object)
		switch {
		case e == nil || isObject && len(obj) == 0:
		case isObject && obj["value"] == nil:
			loose = append(loose, obj)
		default:
			k := valueKey(a, e)
			byValue[k] = append(byValue[k], e)
		}
	}
	cost := len(old) * len(loose)
	for _, e := range old {
		cost += len(byValue[valueKey(a, e)])
	}
	if err := p.spend(cost); err != nil {
		return nil, err
	}
	named := func(e any) bool {
		if slices.ContainsFunc(byValue[valueKey(a, e)], func(n any) bool { return agrees(a, e, n) }) {
			return true
		}
		return slices.ContainsFunc(loose, func(n scim.Object) bool { return agrees(a, e, n) })
	}
	return slices.DeleteFunc(slices.Clone(old), named), nil
}

// shown is an element of a without the sub-attributes that are never returned: which elements an operation is about
// must not depend on them, or a client would find their values by trying. An attribute that is hidden as a whole shows
// nothing anyway.
func shown(a *schema.Attribute, e any) any {
	obj, ok := e.(scim.Object)
	if !ok || hidden(a) || !slices.ContainsFunc(a.SubAttributes, hidden) {
		return e
	}
	part := make(scim.Object, len(obj))
	for name, v := range obj {
		if !hidden(a.Sub(name)) {
			part[name] = v
		}
	}
	return part
}

func hidden(a *schema.Attribute) bool {
	return a != nil && (a.Returned == schema.Never || a.Mutability == schema.WriteOnly)
}

// valueKey is equal for elements of a whose value is.
func valueKey(a *schema.Attribute, e any) string {
	if obj, ok := e.(scim.Object); ok {
		return string(appendFolded(nil, a.Sub("value"), obj["value"]))
	}
	return string(appendFolded(nil, a, e))
}

// agrees tells whether the element e is what named says: equal, or with an equal value of each sub-attribute of named.
func agrees(a *schema.Attribute, e, named any) bool {
	is, ok := e.(scim.Object)
	says, ok2 := named.(scim.Object)
	if !ok || !ok2 {
		return ok == ok2
	}
	for name, v := range says {
		w := is[name]
		if w == nil && v == false {
			continue
		}
		sub := a.Sub(name)
		if w == nil || string(appendFolded(nil, sub, v)) != string(appendFolded(nil, sub, w)) {
			return false
		}
	}
	return true
}

// constant is the JSON value of a filter's constant.
func constant(v filter.Value) any {
	switch v.Kind {
	case filter.Bool:
		return v.Bool
	case filter.Str:
		return v.Str
	case filter.Number:
		if n, err := strconv.ParseInt(v.Str, 10, 64); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(v.Str, 64); err == nil {
			return f
		}
	}
	return nil
}
