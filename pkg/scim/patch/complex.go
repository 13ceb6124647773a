package patch

import (
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// changeComplex is a single-valued complex attribute after an operation on it, on one of its sub-attributes, or, with a
// value filter, on it if it passes.
func (p *patcher) changeComplex(kind Kind, tg target, old scim.Object, value any) (any, error) {
	if tg.expr == nil || old != nil && tg.match.Match(old) {
		return p.changeObject(kind, tg, old, value)
	}
	if kind == Remove {
		return orNil(old), nil
	}
	if old != nil {
		return nil, errNoTarget("")
	}
	raw, err := p.blueprint(kind, tg, value)
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	return p.normalize(tg.attr, raw)
}

func (p *patcher) changeObject(kind Kind, tg target, old scim.Object, value any) (any, error) {
	if tg.sub != nil {
		return p.changeSub(kind, tg, old, value)
	}
	obj, _ := value.(scim.Object)
	switch {
	case kind == Remove && tg.expr == nil && value != nil:
		return p.removeNamed(tg.attr, orNil(old), value)
	case kind == Remove || value == nil:
		return nil, nil
	case kind == Replace && p.d.ReplaceComplexWhole && !tg.attr.MultiValued:
		old = nil
	}
	return p.mergeObject(kind, tg, old, obj)
}

// changeSub is a complex value after an operation on its sub-attribute tg.sub.
func (p *patcher) changeSub(kind Kind, tg target, old scim.Object, value any) (any, error) {
	if kind == Remove && tg.expr != nil {
		value = nil // the filter selects the value to remove
	}
	v, err := p.subValue(kind, tg.sub, old[tg.sub.Name], value)
	if err != nil {
		return nil, err
	}
	if v == nil && kind != Remove && tg.sub.Required {
		return nil, errRequiredValue(tg.attr.Name + "." + tg.sub.Name)
	}
	if scim.Equal(old[tg.sub.Name], v) {
		return orNil(old), nil
	}
	next := cloned(old)
	put(next, tg.sub.Name, v)
	if tg.sub.Name == "value" {
		delete(next, "$ref")
	}
	if len(next) == 0 {
		return nil, nil
	}
	if v == nil || tg.attr.MultiValued {
		p.noteEmptied(tg, next)
	}
	return next, nil
}

// subValue is a sub-attribute after an operation on it.
func (p *patcher) subValue(kind Kind, sub *schema.Attribute, old, value any) (any, error) {
	switch {
	case sub.MultiValued:
		list, _ := old.([]any)
		if err := p.spend(len(list)); err != nil {
			return nil, err
		}
		return unassignEmpty(p.changeValues(kind, sub, list, value, true))
	case kind == Remove && value != nil:
		return p.removeNamed(sub, old, value)
	case kind == Remove:
		return nil, nil
	}
	return p.normalize(sub, value)
}

// mergeObject is old with the sub-attributes that obj names (RFC 7644, section 3.5.2.3): those not named stay, one
// that is named with null or "" is removed. An add joins the values of a sub-attribute that may have several.
func (p *patcher) mergeObject(kind Kind, tg target, old, obj scim.Object) (any, error) {
	a := tg.attr
	next := cloned(old)
	named := map[string]bool{}
	err := p.eachSub(a, obj, func(sub *schema.Attribute, v any) error {
		named[sub.Name] = true
		if list, ok := old[sub.Name].([]any); ok && kind == Add && sub.MultiValued {
			added, _ := v.([]any)
			joined, err := p.appendValues(sub, list, added)
			if err != nil {
				return err
			}
			v = joined
		}
		put(next, sub.Name, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if named["value"] && !named["$ref"] && !scim.Equal(old["value"], next["value"]) {
		delete(next, "$ref")
	}
	if len(next) == 0 {
		return nil, nil
	}
	if a.MultiValued || len(named) > 0 && old["value"] != nil {
		p.noteEmptied(tg, next)
	}
	return next, nil
}

// noteEmptied notes the target's attribute if one of its values, v, has labels only.
func (p *patcher) noteEmptied(tg target, v scim.Object) {
	same := func(t target) bool { return t.attr == tg.attr && t.extension == tg.extension }
	if tg.attr.OnlyLabels(v) && !slices.ContainsFunc(p.emptied, same) {
		p.emptied = append(p.emptied, tg)
	}
}

// clearEmptied removes the values that all operations together have left with labels only.
func (p *patcher) clearEmptied() error {
	for _, tg := range p.emptied {
		a := tg.attr
		blank := func(v any) bool { obj, ok := v.(scim.Object); return ok && a.OnlyLabels(obj) }
		value := p.get(tg)
		list, several := value.([]any)
		if !several {
			if blank(value) {
				p.set(tg, nil)
			}
			continue
		}
		for _, e := range list {
			if blank(e) && a.CheckRequired(e.(scim.Object)) != nil {
				return a.CheckRequired(e.(scim.Object))
			}
		}
		kept, _ := unassignEmpty(slices.DeleteFunc(slices.Clone(list), blank), nil)
		if kept == nil && a.Required {
			return errRequiredValue(a.Name)
		}
		p.set(tg, kept)
	}
	return nil
}

// blueprint returns the new element that an operation on a value path makes if no element passes the filter: the
// filter's `eq` pairs and the operation's value. nil means that no element is made.
func (p *patcher) blueprint(kind Kind, tg target, value any) (scim.Object, error) {
	if kind == Replace && tg.expr != nil && !p.d.CreateOnReplace {
		return nil, errNoTarget("; add creates a new one")
	}
	given, err := p.given(tg, value)
	if err != nil || len(given) == 0 || tg.expr == nil {
		return given, err
	}
	raw, ok := selected(tg)
	if !ok {
		return nil, errNoTarget(", and only a filter of `eq` and `and` can create a new one")
	}
	maps.Copy(raw, given)
	return raw, nil
}

// given returns the normalised sub-attributes that an operation's value sets in one element. It may be empty.
func (p *patcher) given(tg target, value any) (scim.Object, error) {
	given := scim.Object{}
	if tg.sub != nil {
		v, err := p.normalize(tg.sub, value)
		put(given, tg.sub.Name, v)
		return given, err
	}
	obj, _ := value.(scim.Object)
	err := p.eachSub(tg.attr, obj, func(sub *schema.Attribute, v any) error {
		put(given, sub.Name, v)
		return nil
	})
	return given, err
}

// selected returns the sub-attributes in the `eq` pairs of the target's filter; false if the filter is anything but
// such pairs.
func selected(tg target) (scim.Object, bool) {
	pairs, ok := filter.EqualPairs(tg.expr)
	raw := make(scim.Object, len(pairs)+1)
	for name, v := range pairs {
		if sub := tg.attr.Sub(name); sub != nil {
			raw[sub.Name] = constant(v)
		}
	}
	return raw, ok
}

// eachSub calls f with each sub-attribute that obj names, in order, and its normalised value, nil if it unassigns.
// Read-only ones are left out, unknown ones too unless the dialect refuses them.
func (p *patcher) eachSub(a *schema.Attribute, obj scim.Object, f func(sub *schema.Attribute, v any) error) error {
	for _, key := range slices.Sorted(maps.Keys(obj)) {
		sub := a.Sub(key)
		switch {
		case sub == nil && p.d.RejectUnknownAttributes:
			return scim.BadRequest(scim.InvalidSyntax, "%s has no sub-attribute %s.", a.Name, shortened(key))
		case sub == nil || sub.Mutability == schema.ReadOnly:
			continue
		}
		v, err := p.normalize(sub, obj[key])
		if err != nil {
			return err
		}
		if err := f(sub, v); err != nil {
			return err
		}
	}
	return nil
}

// unwrapped takes a single value out of an array of one.
func unwrapped(v any) any {
	if list, ok := v.([]any); ok && len(list) == 1 {
		return list[0]
	}
	return v
}

func put(obj scim.Object, name string, v any) {
	if v == nil {
		delete(obj, name)
		return
	}
	obj[name] = v
}

func cloned(obj scim.Object) scim.Object {
	c := make(scim.Object, len(obj)+1)
	maps.Copy(c, obj)
	return c
}

// orNil keeps a nil Object from becoming an any that is not nil.
func orNil(obj scim.Object) any {
	if obj == nil {
		return nil
	}
	return obj
}
