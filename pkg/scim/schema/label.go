package schema

import (
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// OnlyLabels reports whether o, a canonical value of the complex attribute a, holds only labels: the sub-attributes
// type, primary and $ref, which describe a value. For a multi-valued attribute, or one with a sub-attribute
// "value", labels alone are no value: a client that has unassigned the value leaves its labels behind (RFC 7643,
// section 2.5). If a client can set nothing but labels, they are the value, and the result is false.
func (a *Attribute) OnlyLabels(o scim.Object) bool {
	if !a.MultiValued && a.Sub("value") == nil {
		return len(o) == 0
	}
	for name := range o {
		if !isLabel(name) {
			return false
		}
	}
	return len(o) == 0 || slices.ContainsFunc(a.SubAttributes, func(s *Attribute) bool {
		return s.Mutability != ReadOnly && !isLabel(s.Name)
	})
}

func isLabel(name string) bool { return name == "type" || name == "primary" || name == "$ref" }

// blank reports whether an element of a multi-valued attribute, as NormalizeElement makes it, is no value.
func (a *Attribute) blank(e any) bool {
	o, ok := e.(scim.Object)
	return e == nil || ok && a.OnlyLabels(o)
}
