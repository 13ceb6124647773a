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
	value = unwrapped(value)
	obj, ok := value.(scim.Object)
	if kind == Remove || unassigns(value) || kind == Replace && ok && len(obj) == 0 {
		return nil, nil
	}
	if kind == Replace && p.d.ReplaceComplexWhole && ok && !tg.attr.MultiValued {
		old = nil
	}
	return p.mergeObject(kind, tg.attr, old, value)
}

// changeSub is a complex value after an operation on its sub-attribute tg.sub.
func (p *patcher) changeSub(kind Kind, tg target, old scim.Object, value any) (any, error) {
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
	if (v == nil || tg.attr.MultiValued) && tg.attr.OnlyLabels(next) {
		return nil, nil
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
	case kind == Remove:
		return nil, nil
	}
	return p.normalize(sub, value)
}

// mergeObject is old with the sub-attributes that value names (RFC 7644, section 3.5.2.3): those not named stay, one
// that is named with null or "" goes. An add joins the values of a sub-attribute that may have several.
func (p *patcher) mergeObject(kind Kind, a *schema.Attribute, old scim.Object, value any) (any, error) {
	obj, ok := value.(scim.Object)
	if !ok {
		// A manager as a plain id, for example: normalising it says which sub-attribute it stands for, or why it cannot.
		v, err := a.NormalizeElement(value, p.d)
		if err != nil {
			return nil, err
		}
		obj, _ = v.(scim.Object)
	}
	next := cloned(old)
	named := map[string]bool{}
	err := p.eachSub(a, obj, func(sub *schema.Attribute, v any) {
		named[sub.Name] = true
		if list, ok := old[sub.Name].([]any); ok && kind == Add && sub.MultiValued {
			added, _ := v.([]any)
			v, _ = appendValues(sub, list, added) // only complex values may not merge
		}
		put(next, sub.Name, v)
	})
	if err != nil {
		return nil, err
	}
	if named["value"] && !named["$ref"] && !scim.Equal(old["value"], next["value"]) {
		delete(next, "$ref")
	}
	emptied := a.MultiValued || len(named) > 0 && old["value"] != nil
	if len(next) == 0 || emptied && a.OnlyLabels(next) {
		return nil, nil
	}
	return next, nil
}

// blueprint is the element that an operation on a value path makes where none passes the filter: what the filter's `eq`
// pairs say, and the operation's value. nil means that there is nothing to make.
func (p *patcher) blueprint(kind Kind, tg target, value any) (scim.Object, error) {
	if kind == Replace && tg.expr != nil && !p.d.CreateOnReplace {
		return nil, errNoTarget("; add makes a new one")
	}
	given, err := p.given(tg, value)
	if err != nil || len(given) == 0 || tg.expr == nil {
		return given, err
	}
	raw, ok := selected(tg)
	if !ok {
		return nil, errNoTarget(", and a filter that is more than `eq` and `and` can't make a new one")
	}
	maps.Copy(raw, given)
	return raw, nil
}

// given is what an operation's value says of one element: normalised sub-attributes, none where it says nothing.
func (p *patcher) given(tg target, value any) (scim.Object, error) {
	given := scim.Object{}
	if tg.sub != nil {
		v, err := p.normalize(tg.sub, value)
		put(given, tg.sub.Name, v)
		return given, err
	}
	value = unwrapped(value)
	obj, ok := value.(scim.Object)
	switch {
	case unassigns(value):
		return nil, nil
	case !ok && tg.attr.Sub("value") != nil:
		obj = scim.Object{"value": value}
	case !ok:
		return nil, scim.BadRequest(scim.InvalidValue, "The value of %s must be an object of its sub-attributes.",
			tg.attr.Name)
	}
	err := p.eachSub(tg.attr, obj, func(sub *schema.Attribute, v any) { put(given, sub.Name, v) })
	return given, err
}

// selected is what the `eq` pairs of the target's filter say of an element; false where the filter says more or less.
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

// eachSub calls f with each sub-attribute that obj names, in order, and its normalised value, nil where it unassigns.
// Read-only ones are left out, unknown ones too unless the dialect refuses them.
func (p *patcher) eachSub(a *schema.Attribute, obj scim.Object, f func(sub *schema.Attribute, v any)) error {
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
		f(sub, v)
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
