package schema

import (
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Check checks that a canonical document may be stored: required attributes and required extensions are present,
// strings and lists are within their limits, and names, types and shapes are those that Normalize returns.
// Read-only attributes (id, meta, groups) are not checked. The error is an *scim.Error 400 invalidValue that names
// the attribute.
func (t *ResourceType) Check(doc scim.Object) error {
	seen, err := checkAttributes(t.Core.Attributes, doc)
	if err != nil {
		return err
	}
	if _, ok := doc[schemasAttribute.Name]; ok {
		seen++
	}
	for _, e := range t.Extensions {
		v, ok := doc[e.Schema.ID]
		if !ok {
			if e.Required {
				return scim.BadRequest(scim.InvalidValue, "The extension %s is required.", e.Schema.ID)
			}
			continue
		}
		seen++
		o, ok := v.(scim.Object)
		if !ok || len(o) == 0 {
			return scim.BadRequest(scim.InvalidValue, "%s must be an object that is not empty.", e.Schema.ID)
		}
		n, err := checkAttributes(e.Schema.Attributes, o)
		if err != nil {
			return err
		}
		if n < len(o) {
			return unknownKey(o, e.Schema.ID+":", func(k string) bool { return declares(e.Schema.Attribute(k), k) })
		}
	}
	if seen < len(doc) {
		return unknownKey(doc, "", func(k string) bool {
			return k == schemasAttribute.Name || declares(t.Core.Attribute(k), k) || t.Extension(k) != nil
		})
	}
	return nil
}

// checkAttributes checks the values in o of some attributes and returns how many of these o has.
func checkAttributes(attributes []*Attribute, o scim.Object) (seen int, err error) {
	for _, a := range attributes {
		v, ok := o[a.Name]
		if ok {
			seen++
		}
		switch {
		case a.Mutability == ReadOnly:
		case a.Required && isBlank(v):
			return 0, scim.BadRequest(scim.InvalidValue, "%s is required and must not be empty.", a.FullName())
		case ok:
			if err := a.check(v); err != nil {
				return 0, err
			}
		}
	}
	return seen, nil
}

// isBlank reports whether a value is nil or text of only white space.
func isBlank(v any) bool {
	s, ok := v.(string)
	return v == nil || ok && strings.TrimSpace(s) == ""
}

func declares(a *Attribute, key string) bool { return a != nil && a.Name == key }

// unknownKey is the error about the first key of o, in order, that is not known.
func unknownKey(o scim.Object, prefix string, known func(string) bool) error {
	for _, k := range sortedKeys(o) {
		if !known(k) {
			return scim.BadRequest(scim.InvalidValue, "No schema of this resource has an attribute %s.",
				scim.Quote(prefix+k))
		}
	}
	return nil
}

// check checks a whole value.
func (a *Attribute) check(v any) error {
	if !a.MultiValued {
		return a.checkElement(v)
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return scim.BadRequest(scim.InvalidValue, "The value of %s must be an array that is not empty.", a.FullName())
	}
	if a.MaxValues > 0 && len(list) > a.MaxValues {
		return scim.BadRequest(scim.InvalidValue, "%s has %d values; at most %d are allowed.", a.FullName(), len(list),
			a.MaxValues)
	}
	for _, e := range list {
		if err := a.checkElement(e); err != nil {
			return err
		}
	}
	return a.checkPrimary(list)
}

// checkElement checks a single value or one element of several.
func (a *Attribute) checkElement(v any) error {
	if a.Type == Complex {
		return a.checkComplex(v)
	}
	if c := a.scalar(v); c == nil || !sameType(c, v) {
		return a.wrongType(v)
	}
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if a.Closed && !a.Allows(s) {
		return scim.BadRequest(scim.InvalidValue, "The value of %s must be one of %s.", a.FullName(),
			quoted(a.CanonicalValues))
	}
	if s == "" {
		return scim.BadRequest(scim.InvalidValue, "%s must not be empty.", a.FullName())
	}
	if a.MaxBytes > 0 && len(s) > a.MaxBytes {
		return scim.BadRequest(scim.InvalidValue, "%s is %d bytes long in UTF-8; at most %d are allowed.", a.FullName(),
			len(s), a.MaxBytes)
	}
	return nil
}

// Allows reports whether s is one of the allowed values; case counts only if the attribute is caseExact.
func (a *Attribute) Allows(s string) bool {
	return slices.ContainsFunc(a.CanonicalValues, func(v string) bool {
		return v == s || !a.CaseExact && scim.Fold(v) == scim.Fold(s)
	})
}

// quoted lists values for an error, the first few if there are many.
func quoted(values []string) string {
	const most = 20
	list := make([]string, 0, most+1)
	for i, v := range values {
		if i == most {
			list = append(list, "and others, which /Schemas lists")
			break
		}
		list = append(list, scim.Quote(v))
	}
	return strings.Join(list, ", ")
}

// sameType reports whether a value had its declared type before it was coerced.
func sameType(a, b any) bool {
	switch a.(type) {
	case bool:
		_, ok := b.(bool)
		return ok
	case int64:
		_, ok := b.(int64)
		return ok
	}
	return true
}

func (a *Attribute) checkComplex(v any) error {
	o, ok := v.(scim.Object)
	if !ok || len(o) == 0 {
		return scim.BadRequest(scim.InvalidValue, "%s must be an object that is not empty.", a.FullName())
	}
	if err := a.CheckRequired(o); err != nil {
		return err
	}
	seen := 0
	for _, sub := range a.SubAttributes {
		v, ok := o[sub.Name]
		if !ok {
			continue
		}
		seen++
		if sub.Mutability == ReadOnly {
			continue
		}
		if err := sub.check(v); err != nil {
			return err
		}
	}
	if seen < len(o) {
		return unknownKey(o, a.FullName()+".", func(k string) bool { return declares(a.Sub(k), k) })
	}
	return nil
}
