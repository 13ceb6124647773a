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
	list, err := p.list(a, value)
	switch {
	case err != nil:
		return nil, err
	case kind == Remove:
		return p.removeValues(a, old, list)
	case a.Type == schema.Complex && isEmptyObject(value):
		return old, nil
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
	return p.appendValues(a, old, added)
}

// list reads a value as a list of elements: a single one is a list of one, null and "" are none. Elements that are
// null are left out. An array of only null, "" and {} is an error, and so is, in an operation with a path, an
// element that names nothing which could change.
func (p *patcher) list(a *schema.Attribute, v any) ([]any, error) {
	list, err := a.Elements(v)
	if err != nil || len(list) == 0 || isEmptyObject(v) {
		return list, err
	}
	if !slices.ContainsFunc(list, func(e any) bool { return !unassigns(e) && !isEmptyObject(e) }) {
		return nil, a.EmptyElements()
	}
	for _, e := range list {
		if text, ok := e.(string); ok && a.Type == schema.Complex {
			if e, err = a.Open(text, p.d); err != nil {
				return nil, err
			}
		}
		if !p.merging && p.namesNone(a, e) && !isEmptyObject(e) {
			return nil, errNothingKnown(a)
		}
	}
	if !slices.Contains(list, nil) {
		return list, nil
	}
	return slices.DeleteFunc(slices.Clone(list), func(e any) bool { return e == nil }), nil
}

// appendValues is old and the normalised elements of added. An element that old holds already, with all its
// sub-attributes, changes nothing. Another one is merged into an element of old with its identity, each of which
// takes one. A primary one among added takes primary from all others.
func (p *patcher) appendValues(a *schema.Attribute, old, added []any) ([]any, error) {
	next := slices.Clone(old)
	like := make(map[string][]int, len(old)) // indexes by identity
	for i, e := range old {
		id := identity(a, e)
		like[id] = append(like[id], i)
	}
	at := make([]int, len(added))
	ids := make([]string, len(added))
	taken := make([]bool, len(old))
	for k, e := range added {
		ids[k] = identity(a, e)
		alike := like[ids[k]]
		if err := p.spend(len(alike)); err != nil {
			return nil, err
		}
		at[k] = -1
		if j := slices.IndexFunc(alike, func(i int) bool { return holds(a, shown(a, old[i]), shown(a, e)) }); j >= 0 {
			at[k], taken[alike[j]] = alike[j], true
		}
	}
	primary, merged := -1, false
	for k, e := range added {
		if at[k] < 0 {
			if err := p.spend(len(like[ids[k]])); err != nil {
				return nil, err
			}
			free := slices.DeleteFunc(slices.Clone(like[ids[k]]), func(i int) bool { return taken[i] })
			if at[k] = nearest(a, old, free, shown(a, e)); at[k] >= 0 {
				taken[at[k]] = true
			}
		}
		if i := at[k]; i < 0 {
			at[k] = len(next)
			next = append(next, e)
		} else if name := untold(a, nil, next[i], e); name != "" && a.Type == schema.Complex {
			return nil, errImmutable(name)
		} else if !holds(a, next[i], e) {
			whole := overlaid(a, next[i], e)
			if name := immutableChanged(a, next[i], whole); name != "" && a.Type == schema.Complex {
				return nil, errImmutable(name)
			}
			next[i], merged = whole, true
		}
		if isPrimary(e) && !onlyLabels(a, e) {
			primary = at[k]
		}
	}
	clearPrimary(next, primary)
	if merged {
		next = withoutDuplicates(a, next)
	}
	return next, nil
}

// nearest is the first index among those free of an element that differs from e only in primary, else the first of
// all; -1 if there is none.
func nearest(a *schema.Attribute, old []any, free []int, e any) int {
	if len(free) == 0 {
		return -1
	}
	e = withoutPrimary(e)
	return free[max(0, slices.IndexFunc(free, func(i int) bool { return holds(a, old[i], e) }))]
}

// holds reports whether the element is of a has all sub-attributes of e with values that a compares as equal. An
// element without primary counts as not primary.
func holds(a *schema.Attribute, is, e any) bool {
	says, ok := e.(scim.Object)
	return !ok || agrees(a, is, says) // of simple values the identity is all
}

func onlyLabels(a *schema.Attribute, e any) bool {
	obj, ok := e.(scim.Object)
	return ok && a.OnlyLabels(obj)
}

// overlaid is the complex value old with the sub-attributes of e; any other value is e, and old itself if nothing
// differs.
func overlaid(a *schema.Attribute, old, e any) any {
	was, ok := old.(scim.Object)
	is, ok2 := e.(scim.Object)
	if !ok || !ok2 {
		return old
	}
	var next scim.Object
	for name, v := range is {
		if same(a.Sub(name), was[name], v) {
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

// identity returns the same string for two elements of a that may not be in one list: those with the same type and
// value, and those without a value that differ only in primary and in sub-attributes that are never returned.
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

// appendFolded writes v as JSON; values that a compares as equal get the same text.
func appendFolded(b []byte, a *schema.Attribute, v any) []byte {
	if s, ok := v.(string); ok && a != nil && !a.CaseExact {
		v = scim.Fold(s)
	}
	return scim.AppendJSON(b, v)
}

// same reports whether a compares two values as equal.
func same(a *schema.Attribute, v, w any) bool {
	return scim.Equal(v, w) || string(appendFolded(nil, a, v)) == string(appendFolded(nil, a, w))
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
	hit, primary, newly := false, -1, false
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
		if isPrimary(n) && !onlyLabels(tg.attr, n) {
			if primary < 0 {
				primary = len(next)
			}
			newly = newly || !isPrimary(e) || onlyLabels(tg.attr, e)
		}
		next = append(next, n)
	}
	if !hit {
		return p.makeElement(kind, tg, old, value)
	}
	if newly {
		clearPrimary(next, primary)
	}
	return withoutDuplicates(tg.attr, next), nil
}

// elementChange returns the function by which an operation changes one element: it returns the new element, nil if
// it is removed.
func (p *patcher) elementChange(kind Kind, tg target, value any) (func(any) (any, error), error) {
	a := tg.attr
	change := func(e any) (any, error) {
		obj, _ := e.(scim.Object)
		switch {
		case tg.sub != nil:
			return p.changeSub(kind, tg, obj, value)
		case obj == nil || p.namesNone(a, value):
			return e, nil
		}
		given, _ := value.(scim.Object)
		return p.mergeObject(kind, tg, obj, given)
	}
	if tg.sub == nil {
		value = unwrapped(value)
		gone := kind == Remove || unassigns(value)
		if gone || kind == Replace && !p.namesNone(a, value) || a.Type != schema.Complex {
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

// wholeElement is the normalised element that replaces one that the target's filter selects; nil if value is empty.
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
	return p.normalElement(tg, raw)
}

// namesNone reports whether a value for an element of a complex attribute names no sub-attribute that could change.
func (p *patcher) namesNone(a *schema.Attribute, value any) bool {
	obj, ok := value.(scim.Object)
	if !ok || a.Type != schema.Complex {
		return false
	}
	for key := range obj {
		sub := a.Sub(key)
		if sub == nil && p.d.RejectUnknownAttributes || sub != nil && sub.Mutability != schema.ReadOnly {
			return false
		}
	}
	return true
}

// normalElement is one element of a multi-valued complex attribute in canonical form; nil if it is empty. Whether it
// has its required sub-attributes shows after the last operation.
func (p *patcher) normalElement(tg target, raw scim.Object) (any, error) {
	e := scim.Object{}
	err := p.eachSub(tg.attr, raw, func(sub *schema.Attribute, v any) error {
		put(e, sub.Name, v)
		return nil
	})
	if err != nil || len(e) == 0 {
		return nil, err
	}
	p.noteEmptied(tg, e)
	return e, nil
}

// makeElement is old with the element that an operation on a value path makes if none passes the filter.
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
	e, err := p.normalElement(tg, raw)
	if err != nil || e == nil {
		return old, err
	}
	return p.appendValues(tg.attr, old, []any{e})
}

// withoutDuplicates is list without elements that differ from an earlier one only in primary; the earlier one is
// primary if one of them was. Elements with parts that are never returned stay: their number must not reveal whether
// these are equal.
func withoutDuplicates(a *schema.Attribute, list []any) []any {
	if len(list) < 2 || slices.ContainsFunc(a.SubAttributes, hidden) {
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
