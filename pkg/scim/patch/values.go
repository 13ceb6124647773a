package patch

import (
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// changeValues is the list of values of a multi-valued attribute after an operation on all of it.
func (p *patcher) changeValues(kind Kind, a *schema.Attribute, old []any, value any, has bool) ([]any, error) {
	if kind == Remove && (!has || value == nil) {
		return nil, nil
	}
	list := asList(value)
	switch {
	case kind == Remove:
		return p.removeValues(a, old, list)
	case len(list) == 0 && kind == Replace:
		return nil, nil
	case len(list) == 0:
		return old, nil
	}
	v, err := a.Normalize(list, p.d)
	if err != nil {
		return nil, err
	}
	added, _ := v.([]any)
	if kind == Replace {
		return added, nil
	}
	return appendValues(a, old, added)
}

// asList reads a value as a list of elements: a single one is a list of one, null and "" are none.
func asList(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		if !slices.Contains(v, nil) {
			return v
		}
		return slices.DeleteFunc(slices.Clone(v), func(e any) bool { return e == nil })
	}
	if v == "" {
		return nil
	}
	return []any{v}
}

// appendValues is old and the normalised elements of added. One whose identity is there already is merged into it. A
// primary one among added takes primary from all others.
func appendValues(a *schema.Attribute, old, added []any) ([]any, error) {
	next := slices.Clone(old)
	at := make(map[string]int, len(old)+len(added))
	for i := len(old) - 1; i >= 0; i-- {
		at[identity(a, old[i])] = i
	}
	primary := -1
	for _, e := range added {
		id := identity(a, e)
		i, ok := at[id]
		if !ok {
			i = len(next)
			at[id] = i
			next = append(next, e)
		} else {
			if name := untold(a, nil, next[i], e); name != "" && a.Type == schema.Complex {
				return nil, errImmutable(name)
			}
			merged := overlaid(next[i], e)
			if name := immutableChanged(a, next[i], merged); name != "" && a.Type == schema.Complex {
				return nil, errImmutable(name)
			}
			next[i] = merged
		}
		if isPrimary(e) {
			primary = i
		}
	}
	clearPrimary(next, primary)
	return next, nil
}

// overlaid is the complex value old with the sub-attributes of e; any other value is e, and old itself where nothing
// differs.
func overlaid(old, e any) any {
	was, ok := old.(scim.Object)
	is, ok2 := e.(scim.Object)
	if !ok || !ok2 {
		return old
	}
	var next scim.Object
	for name, v := range is {
		if scim.Equal(was[name], v) {
			continue
		}
		if next == nil {
			next = cloned(was)
		}
		next[name] = v
	}
	if next == nil {
		return old
	}
	return next
}

// identity is equal for two elements of a that may not be in one list: those with one type and value, and those without
// a value that differ in nothing but primary and what is never returned.
func identity(a *schema.Attribute, e any) string {
	obj, ok := shown(a, e).(scim.Object)
	if !ok {
		return string(appendFolded(nil, a, e))
	}
	value, ok := obj["value"]
	if !ok {
		return "=" + string(scim.AppendJSON(nil, withoutPrimary(obj)))
	}
	b := appendFolded([]byte{':'}, a.Sub("value"), value)
	b = append(b, ' ')
	return string(appendFolded(b, a.Sub("type"), obj["type"]))
}

// appendFolded writes v so that what a holds equal is written alike.
func appendFolded(b []byte, a *schema.Attribute, v any) []byte {
	if s, ok := v.(string); ok && a != nil && !a.CaseExact {
		v = scim.Fold(s)
	}
	return scim.AppendJSON(b, v)
}

func isPrimary(e any) bool {
	obj, _ := e.(scim.Object)
	return obj["primary"] == true
}

// clearPrimary sets primary to false in every element of list but the one at keep (RFC 7644, section 3.5.2); -1 changes
// nothing. list is written to, its elements are not.
func clearPrimary(list []any, keep int) {
	if keep < 0 {
		return
	}
	for i, e := range list {
		if i != keep && isPrimary(e) {
			next := cloned(e.(scim.Object))
			next["primary"] = false
			list[i] = next
		}
	}
}

// changeElements is the list of values of a multi-valued attribute after an operation on those that pass the target's
// filter, or on the target's sub-attribute of all.
func (p *patcher) changeElements(kind Kind, tg target, old []any, value any) ([]any, error) {
	change, err := p.elementChange(kind, tg, value)
	if err != nil {
		return nil, err
	}
	next := make([]any, 0, len(old)+1)
	hit, primary := false, -1
	for _, e := range old {
		if tg.match != nil && !tg.match.Match(e) {
			next = append(next, e)
			continue
		}
		hit = true
		n, err := change(e)
		if err != nil {
			return nil, err
		}
		if n == nil {
			continue
		}
		if primary < 0 && isPrimary(n) {
			primary = len(next)
		}
		next = append(next, n)
	}
	if !hit {
		return p.makeElement(kind, tg, old, value)
	}
	clearPrimary(next, primary)
	return withoutDuplicates(next), nil
}

// elementChange is what an operation does to one element: the element after it, nil where that is gone.
func (p *patcher) elementChange(kind Kind, tg target, value any) (func(any) (any, error), error) {
	a := tg.attr
	change := func(e any) (any, error) {
		obj, _ := e.(scim.Object)
		switch {
		case tg.sub != nil:
			return p.changeSub(kind, tg, obj, value)
		case obj == nil:
			return e, nil
		}
		return p.mergeObject(kind, a, obj, value)
	}
	if tg.sub == nil {
		value = unwrapped(value)
		gone := kind == Remove || unassigns(value)
		if gone || kind == Replace || a.Type != schema.Complex {
			var whole any
			if !gone {
				var err error
				if whole, err = p.wholeElement(tg, value); err != nil {
					return nil, err
				}
			}
			change = func(any) (any, error) { return whole, nil }
		}
	}
	return func(e any) (any, error) {
		if name := untold(a, tg.sub, e, value); name != "" && a.Type == schema.Complex {
			return nil, errImmutable(name)
		}
		n, err := change(e)
		if err != nil || n == nil {
			return nil, err
		}
		if name := immutableChanged(a, e, n); name != "" && a.Type == schema.Complex {
			return nil, errImmutable(name)
		}
		return n, nil
	}, nil
}

// wholeElement is the normalised element that takes the place of one that the target's filter selects; nil where value
// says nothing.
func (p *patcher) wholeElement(tg target, value any) (any, error) {
	if tg.attr.Type != schema.Complex {
		return tg.attr.NormalizeElement(value, p.d)
	}
	given, err := p.given(tg, value)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	raw, ok := selected(tg)
	if !ok {
		raw = given
	}
	maps.Copy(raw, given)
	return p.normalElement(tg.attr, raw)
}

// normalElement is one element of a multi-valued complex attribute in canonical form; nil where it holds nothing but
// labels.
func (p *patcher) normalElement(a *schema.Attribute, raw scim.Object) (any, error) {
	e, err := a.NormalizeElement(raw, p.d)
	if obj, _ := e.(scim.Object); err != nil || a.OnlyLabels(obj) {
		return nil, err
	}
	return e, nil
}

// makeElement is old with the element that an operation on a value path makes where none passes the filter.
func (p *patcher) makeElement(kind Kind, tg target, old []any, value any) ([]any, error) {
	if kind == Remove {
		return old, nil
	}
	if tg.attr.Type != schema.Complex {
		return nil, errNoTarget("; add the value without a filter")
	}
	raw, err := p.blueprint(kind, tg, value)
	if err != nil || len(raw) == 0 {
		return old, err
	}
	e, err := p.normalElement(tg.attr, raw)
	if err != nil || e == nil {
		return old, err
	}
	return appendValues(tg.attr, old, []any{e})
}

// withoutDuplicates is list without elements that differ from an earlier one in nothing but primary, which that one
// takes over.
func withoutDuplicates(list []any) []any {
	if len(list) < 2 {
		return list
	}
	at := make(map[string]int, len(list))
	next := list[:0]
	for _, e := range list {
		k := string(scim.AppendJSON(nil, withoutPrimary(e)))
		i, ok := at[k]
		switch {
		case !ok:
			at[k] = len(next)
			next = append(next, e)
		case isPrimary(e):
			next[i] = e
		}
	}
	return next
}

func withoutPrimary(e any) any {
	obj, ok := e.(scim.Object)
	if _, has := obj["primary"]; !ok || !has {
		return e
	}
	next := cloned(obj)
	delete(next, "primary")
	return next
}
