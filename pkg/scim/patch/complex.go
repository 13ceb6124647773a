package patch

import (
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// changeComplex is a single-valued complex attribute after an operation on it, on one of its sub-attributes, or, with a value
// filter, on it if it passes.
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
	if err != nil || raw == nil {
		return nil, err
	}
	return p.normalize(tg.attr, raw)
}

func (p *patcher) changeObject(kind Kind, tg target, old scim.Object, value any) (any, error) {
	switch {
	case tg.sub != nil:
		return p.changeSub(kind, tg, old, value)
	case kind == Remove || unassigns(value):
		return nil, nil
	}
	value = unwrapped(value)
	if obj, ok := value.(scim.Object); ok && len(obj) == 0 && kind == Replace {
		return nil, nil
	}
	return p.mergeObject(tg.attr, old, value)
}

// changeSub is a complex value after an operation on its sub-attribute tg.sub.
func (p *patcher) changeSub(kind Kind, tg target, old scim.Object, value any) (any, error) {
	var v any
	if kind != Remove {
		var err error
		if v, err = p.normalize(tg.sub, value); err != nil {
			return nil, err
		}
		if v == nil && tg.sub.Required {
			return nil, errRequiredValue(tg.attr.Name + "." + tg.sub.Name)
		}
	}
	if scim.Equal(old[tg.sub.Name], v) {
		return orNil(old), nil
	}
	next := cloned(old)
	put(next, tg.sub.Name, v)
	if tg.sub.Name == "value" {
		delete(next, "$ref")
	}
	if v == nil && onlyLabels(tg.attr, next) {
		return nil, nil
	}
	return next, nil
}

// mergeObject is old with the sub-attributes that value names (RFC 7644, section 3.5.2.3): those not named stay, one that is
// named with null or "" goes.
func (p *patcher) mergeObject(a *schema.Attribute, old scim.Object, value any) (any, error) {
	obj, ok := value.(scim.Object)
	if !ok {
		// A manager as a plain id, for example: normalising it says which sub-attribute it stands for, or why it cannot.
		v, err := a.Normalize(value, p.d)
		if err != nil {
			return nil, err
		}
		if obj, ok = v.(scim.Object); !ok {
			return orNil(old), nil
		}
	}
	next := cloned(old)
	named := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(obj)) {
		sub := a.Sub(key)
		if sub == nil {
			if p.d.RejectUnknownAttributes {
				return nil, scim.BadRequest(scim.InvalidSyntax, "%s has no sub-attribute %s", a.Name, shortened(key))
			}
			continue
		}
		if sub.Mutability == schema.ReadOnly {
			continue
		}
		v, err := p.normalize(sub, obj[key])
		if err != nil {
			return nil, prefixed(err, "%s: ", a.Name)
		}
		named[sub.Name] = true
		put(next, sub.Name, v)
	}
	if named["value"] && !named["$ref"] && !scim.Equal(old["value"], next["value"]) {
		delete(next, "$ref")
	}
	if len(next) == 0 || len(named) > 0 && next["value"] == nil && old["value"] != nil && onlyLabels(a, next) {
		return nil, nil
	}
	return next, nil
}

// blueprint is the element that an operation on a value path makes where none passes the filter: what the filter's `eq` pairs
// say, and the operation's value. nil means that there is nothing to make.
func (p *patcher) blueprint(kind Kind, tg target, value any) (scim.Object, error) {
	if kind == Replace && tg.expr != nil && !p.d.CreateOnReplace {
		return nil, errNoTarget("; add makes a new one")
	}
	value = unwrapped(value)
	if unassigns(value) {
		return nil, nil
	}
	raw := scim.Object{}
	if tg.expr != nil {
		pairs, ok := filter.EqualPairs(tg.expr)
		if !ok {
			return nil, errNoTarget(", and a filter that is more than `eq` and `and` cannot make a new one")
		}
		for name, v := range pairs {
			if sub := tg.attr.Sub(name); sub != nil {
				raw[sub.Name] = constant(v)
			}
		}
	}
	obj, isObject := value.(scim.Object)
	switch {
	case tg.sub != nil:
		raw[tg.sub.Name] = value
	case isObject:
		for _, key := range slices.Sorted(maps.Keys(obj)) {
			if sub := tg.attr.Sub(key); sub != nil {
				delete(raw, sub.Name)
			}
		}
		maps.Copy(raw, obj)
	case tg.attr.Sub("value") != nil:
		raw["value"] = value
	default:
		return nil, scim.BadRequest(scim.InvalidValue, "%s must be an object of its sub-attributes", tg.attr.Name)
	}
	return raw, nil
}

// onlyLabels tells whether nothing is left of a value of a but what describes it.
func onlyLabels(a *schema.Attribute, obj scim.Object) bool {
	labelled := a.MultiValued || a.Sub("value") != nil
	for name := range obj {
		if !labelled || name != "type" && name != "primary" && name != "$ref" {
			return false
		}
	}
	return true
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
