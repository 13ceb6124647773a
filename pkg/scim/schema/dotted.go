package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// dottedKey is a key of a body that names a sub-attribute: "name.givenName".
type dottedKey struct {
	schema    *Schema
	attr, sub *Attribute
	value     any
}

// filtered is the complex attribute of s that a key selects values of: emails of `emails[type eq "work"].value`. It is
// nil if there is none, or if clients can't set it.
func filtered(s *Schema, key string) *Attribute {
	name, _, has := strings.Cut(key, "[")
	if a := s.Attribute(name); has && a != nil && a.Type == Complex && a.Mutability != ReadOnly {
		return a
	}
	return nil
}

// noPath refuses a path of a PATCH operation as a key of a resource: it would be lost as an unknown attribute.
func noPath(a *Attribute, key string) error {
	return scim.BadRequest(scim.InvalidSyntax, "%s is no key of a resource. Send %s as %s.",
		scim.Quote(key), a.FullName(), a.whole())
}

// keepDotted notes a key that names a sub-attribute of s, for when all whole attributes are read; false if it does not.
func (n *normalizer) keepDotted(s *Schema, name string, v any) bool {
	name, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		return false
	}
	a := s.Attribute(name)
	if a == nil || a.Sub(rest) == nil {
		return false
	}
	n.dotted = append(n.dotted, dottedKey{schema: s, attr: a, sub: a.Sub(rest), value: v})
	return true
}

// joinDotted puts the sub-attributes that have keys of their own into their attributes. Those of a multi-valued
// attribute make one element. The same may come twice, in two spellings, if the values agree. A dialect that takes no
// such keys refuses them.
func (n *normalizer) joinDotted() error {
	settable := func(k dottedKey) bool { return k.attr.Mutability != ReadOnly && k.sub.Mutability != ReadOnly }
	if i := slices.IndexFunc(n.dotted, settable); i >= 0 && !n.d.DottedKeys {
		k := n.dotted[i]
		return scim.BadRequest(scim.InvalidSyntax, "%s is not a key of a resource. Send %s as an object with %s in it.",
			k.sub.FullName(), k.attr.FullName(), k.sub.Name)
	}
	made := map[*Attribute]scim.Object{}
	for _, k := range n.dotted {
		v, err := k.sub.Normalize(k.value, n.d)
		switch {
		case !settable(k):
			continue
		case err != nil:
			return err
		case v == nil:
			continue
		}
		if old, ok := made[k.attr][k.sub.Name]; ok && !scim.Equal(old, v) {
			return givenTwice(k.sub)
		}
		if made[k.attr] == nil {
			made[k.attr] = scim.Object{}
		}
		made[k.attr][k.sub.Name] = v
	}
	for _, k := range n.dotted {
		given := made[k.attr]
		if delete(made, k.attr); given == nil || k.attr.MultiValued && k.attr.OnlyLabels(given) {
			continue
		}
		if err := n.in(k.schema, func(o scim.Object) error { return k.join(o, given) }); err != nil {
			return err
		}
	}
	return nil
}

// join puts sub-attributes into the attribute of k in o.
func (k dottedKey) join(o, given scim.Object) error {
	whole, _ := o[k.attr.Name].(scim.Object)
	next := maps.Clone(given)
	if k.attr.MultiValued {
		if o[k.attr.Name] != nil {
			return givenTwice(k.attr)
		}
		o[k.attr.Name] = []any{next}
		return nil
	}
	for name, v := range whole {
		if other, ok := given[name]; ok && !scim.Equal(other, v) {
			return givenTwice(k.attr.Sub(name))
		}
		next[name] = v
	}
	o[k.attr.Name] = next
	return nil
}

func givenTwice(a *Attribute) error {
	return scim.BadRequest(scim.InvalidSyntax, "%s is given twice, with different values.", a.FullName())
}
