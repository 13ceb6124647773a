package schema

import (
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Keep completes next, which replaces the canonical document old (RFC 7644, section 3.5.1), with attributes of old
// that next leaves out: an immutable attribute that has a value, and one that is never returned, so that the client
// can't know it. A value of a multi-valued attribute keeps only its sub-attributes that are never returned, if the
// part that a client sees equals that of exactly one former value. If an immutable attribute, or sub-attribute of a
// single value, has another value in next, the error is an *scim.Error 400 mutability; so it is if next sets one that
// is never returned. If next leaves out a whole complex value or extension of which a client sees a part, it is
// removed. An extension with an immutable value keeps that value and those that are never returned. The result passes
// Check.
//
// next is changed at its first level only. The types of RFC 7643 have nothing to keep: password is never stored,
// and members are not part of a document.
func (t *ResourceType) Keep(old, next scim.Object) error {
	if !t.custom {
		return nil
	}
	if err := keep(t.Core.Attributes, old, next, false); err != nil {
		return err
	}
	for _, e := range t.Extensions {
		was, _ := old[e.Schema.ID].(scim.Object)
		if len(was) == 0 {
			continue
		}
		given, _ := next[e.Schema.ID].(scim.Object)
		if len(given) == 0 && visible(e.Schema.Attributes, was) && !fixed(e.Schema.Attributes, was) {
			continue
		}
		is := make(scim.Object, len(given)+1)
		maps.Copy(is, given)
		if err := keep(e.Schema.Attributes, was, is, false); err != nil {
			return err
		}
		if len(is) > 0 {
			next[e.Schema.ID] = is
		}
	}
	t.SetSchemas(next)
	return t.Check(next)
}

// hidden reports whether a client never sees the attribute.
func (a *Attribute) hidden() bool { return a.Returned == Never || a.Mutability == WriteOnly }

// Tells reports whether a value, or one of several, sets the attribute, or a sub-attribute of it, that is never
// returned. If the attribute is immutable and has a value, such a value is refused even if it is the same:
// otherwise a client could find the value by trying.
func (a *Attribute) Tells(v any) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, a.Tells)
	}
	if a.hidden() {
		return v != nil
	}
	o, _ := v.(scim.Object)
	for name, v := range o {
		if sub := a.Sub(name); v != nil && sub != nil && sub.hidden() {
			return true
		}
	}
	return false
}

// visible reports whether o has a value of one of the attributes that a client may see.
func visible(attributes []*Attribute, o scim.Object) bool {
	return slices.ContainsFunc(attributes, func(a *Attribute) bool { return a.shows(o[a.Name]) })
}

// shows reports whether a client may see anything of a value.
func (a *Attribute) shows(v any) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, a.shows)
	}
	o, ok := v.(scim.Object)
	if ok && a.Type == Complex {
		return !a.hidden() && visible(a.SubAttributes, o)
	}
	return v != nil && !a.hidden()
}

// fixed reports whether o has a value of one of the attributes that is immutable.
func fixed(attributes []*Attribute, o scim.Object) bool {
	return slices.ContainsFunc(attributes,
		func(a *Attribute) bool { return o[a.Name] != nil && a.Mutability == Immutable })
}

// keep is Keep for some attributes; inside says that they are parts of one that is never returned.
func keep(attributes []*Attribute, old, next scim.Object, inside bool) error {
	for _, a := range attributes {
		was, is := old[a.Name], next[a.Name]
		if was != nil && is != nil && a.Mutability == Immutable && (inside || a.Tells(is)) {
			return scim.BadRequest(scim.Mutability, "%s can't be changed once it has a value, "+
				"and a value that is never returned can't be repeated either.", a.FullName())
		}
		if list, several := is.([]any); several && was != nil {
			is = keepHidden(a, was, list)
			next[a.Name] = is
		} else if is != nil && a.Mutability == Immutable { // the comparison needs the whole value
			is = keepHidden(a, []any{was}, []any{is})[0]
			next[a.Name] = is
		}
		switch {
		case was == nil || a.Mutability == ReadOnly:
			continue
		case is == nil && (a.Mutability == Immutable || a.hidden()):
			next[a.Name] = was
			continue
		case a.Mutability == Immutable && !sameValues(was, is):
			return scim.BadRequest(scim.Mutability, "%s can't be changed once it has a value.", a.FullName())
		}
		before, ok := was.(scim.Object)
		after, both := is.(scim.Object)
		if !ok || is != nil && !both || is == nil && visible(a.SubAttributes, before) {
			continue
		}
		sub := maps.Clone(after)
		if sub == nil {
			sub = scim.Object{}
		}
		if err := keep(a.SubAttributes, before, sub, inside || a.hidden()); err != nil {
			return err
		}
		if len(sub) > 0 {
			next[a.Name] = sub
		}
	}
	return nil
}

// keepHidden returns the values that take the place of was. If the part of a new value that a client sees equals
// that of exactly one former value, the new value keeps the hidden sub-attributes of that value that it does not
// set.
func keepHidden(a *Attribute, was any, values []any) []any {
	list, _ := was.([]any)
	if !slices.ContainsFunc(a.SubAttributes, (*Attribute).hidden) {
		return values
	}
	former := make(map[string]scim.Object, len(list)) // nil: several look the same
	for _, v := range list {
		if o, ok := v.(scim.Object); ok {
			seen := a.seen(o)
			if _, twice := former[seen]; twice {
				o = nil
			}
			former[seen] = o
		}
	}
	kept := slices.Clone(values)
	for i, v := range values {
		o, ok := v.(scim.Object)
		if !ok {
			continue
		}
		if whole := maps.Clone(former[a.seen(o)]); whole != nil {
			maps.Copy(whole, o)
			kept[i] = whole
		}
	}
	return kept
}

// seen returns the part of a value that a client sees, as JSON.
func (a *Attribute) seen(o scim.Object) string {
	o = maps.Clone(o)
	for _, sub := range a.SubAttributes {
		if sub.hidden() {
			delete(o, sub.Name)
		}
	}
	return string(scim.AppendJSON(nil, o))
}

// sameValues is scim.Equal, except that the order of a multi-valued attribute's values has no meaning (RFC 7643,
// section 2.4).
func sameValues(a, b any) bool {
	x, ok := a.([]any)
	y, both := b.([]any)
	if !ok || !both {
		return scim.Equal(a, b)
	}
	count := make(map[string]int, len(x))
	for _, v := range x {
		count[string(scim.AppendJSON(nil, v))]++
	}
	for _, v := range y {
		count[string(scim.AppendJSON(nil, v))]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}
