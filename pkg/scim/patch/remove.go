package patch

import (
	"slices"
	"strconv"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// removeValues returns old without the elements that match an entry of list. An entry with a value matches the
// elements that agree with all its sub-attributes. If there are none, it matches those with its value and, if it
// has one, its type, because clients send an outdated display or primary. An entry without a value matches the
// elements that agree with all its sub-attributes, or else with all but primary.
func (p *patcher) removeValues(a *schema.Attribute, old, list []any) ([]any, error) {
	all := make([]int, len(old))
	at := map[string][]int{} // indexes by value
	for i, e := range old {
		all[i] = i
		key := valueKey(a, e)
		at[key] = append(at[key], i)
	}
	gone := make([]bool, len(old))
	for _, raw := range list {
		e, err := a.NormalizeElement(raw, p.d)
		if err != nil {
			return nil, err
		}
		obj, isObject := e.(scim.Object)
		if e == nil || isObject && len(obj) == 0 {
			return nil, errNothingNamed()
		}
		e = shown(a, e)
		if obj, isObject = e.(scim.Object); isObject && len(obj) == 0 {
			continue
		}
		among := at[valueKey(a, e)]
		if isObject && obj["value"] == nil {
			among = all
		}
		if err := p.spend(len(among)); err != nil {
			return nil, err
		}
		named := func(e any) bool { return agrees(a, e, obj) }
		if !slices.ContainsFunc(among, func(i int) bool { return named(old[i]) }) {
			said := identifying(obj)
			named = func(e any) bool { return len(said) > 0 && agrees(a, e, said) }
		}
		for _, i := range among {
			gone[i] = gone[i] || !isObject || named(old[i])
		}
	}
	next := make([]any, 0, len(old))
	for i, e := range old {
		if !gone[i] {
			next = append(next, e)
		}
	}
	return next, nil
}

// removeNamed is a single value after a remove with a value: nil if old is that value, else old. A value that is
// never returned is removed in any case: the result must not reveal whether a guess was right.
func (p *patcher) removeNamed(a *schema.Attribute, old, value any) (any, error) {
	named, err := a.NormalizeElement(unwrapped(value), p.d)
	switch {
	case err != nil:
		return nil, err
	case named == nil:
		return nil, errNothingNamed()
	case old == nil || hidden(a):
		return nil, nil
	}
	left, err := p.removeValues(a, []any{old}, []any{named})
	if err != nil || len(left) > 0 {
		return old, err
	}
	return nil, nil
}

// identifying is the part of a value that identifies it: value and type, or, without a value, all but primary.
func identifying(obj scim.Object) scim.Object {
	said := cloned(obj)
	for name := range obj {
		if name == "primary" || obj["value"] != nil && name != "value" && name != "type" {
			delete(said, name)
		}
	}
	return said
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

// valueKey returns the same text for elements of a with equal values.
func valueKey(a *schema.Attribute, e any) string {
	if obj, ok := e.(scim.Object); ok {
		return string(appendFolded(nil, a.Sub("value"), obj["value"]))
	}
	return string(appendFolded(nil, a, e))
}

// agrees reports whether the element e has an equal value for each sub-attribute of says.
func agrees(a *schema.Attribute, e any, says scim.Object) bool {
	is, _ := e.(scim.Object)
	for name, v := range says {
		w := is[name]
		if w == nil && v == false {
			continue
		}
		if w == nil || !same(a.Sub(name), v, w) {
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
