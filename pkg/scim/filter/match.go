package filter

import (
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// test decides on a document, an element or a single value; nil is a missing one. Tests are built once and share no
// state, so that deciding allocates nothing.
type test func(v any) bool

func negate(t test) test { return func(v any) bool { return !t(v) } }

// presence reports whether a comparison asks only whether there is a value: pr, and eq and ne with null.
func presence(c Compare) bool {
	return c.Op == Pr || c.Value.Kind == Null && (c.Op == Eq || c.Op == Ne)
}

// presenceTest turns a test for a value into the one that c asks for.
func presenceTest(c Compare, t test) test {
	if c.Op == Eq {
		return negate(t)
	}
	return t
}

// at applies t to a member of an object; to nil if v has no such member.
func at(name string, t test) test {
	return func(v any) bool {
		o, _ := v.(scim.Object)
		return t(o[name])
	}
}

// from applies t to the whole value of the attribute in a document.
func from(ref schema.Ref, t test) test {
	t = at(ref.Attr.Name, t)
	if ref.Extension != nil {
		t = at(ref.Extension.ID, t)
	}
	return t
}

// subTest applies t to the values of a sub-attribute of an element, or to the element itself if sub is nil.
func subTest(sub *schema.Attribute, t test) test {
	if sub == nil {
		return t
	}
	return at(sub.Name, some(t))
}

// compareSub applies a comparison to the values of a sub-attribute. An element that does not say whether it is primary
// is not (RFC 7643, section 2.4).
func compareSub(sub *schema.Attribute, leaf test) test {
	t := subTest(sub, leaf)
	if sub == nil || sub.Name != "primary" || sub.Type != schema.Boolean {
		return t
	}
	return func(v any) bool {
		if o, ok := v.(scim.Object); ok && o[sub.Name] == nil {
			return leaf(false)
		}
		return t(v)
	}
}

// some holds if t does for one value of v, which may be an array or a single value; if there is no value, it is
// t's answer for a missing one.
func some(t test) test { return someWhere(nil, t) }

// someWhere is some for the values that pass the filter where, or for all values if where is nil.
func someWhere(where, t test) test {
	return func(v any) bool {
		found := false
		for i, n := 0, length(v); i < n; i++ {
			x := element(v, i)
			if x == nil || where != nil && !where(x) {
				continue
			}
			if t(x) {
				return true
			}
			found = true
		}
		return !found && t(nil)
	}
}

// anyElement holds if t does for one value of v; never if there is none.
func anyElement(t test) test {
	return func(v any) bool {
		for i, n := 0, length(v); i < n; i++ {
			if x := element(v, i); x != nil && t(x) {
				return true
			}
		}
		return false
	}
}

// length counts the values of v: those of an array, else one.
func length(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case []any:
		return len(v)
	case []scim.Object:
		return len(v)
	case []string:
		return len(v)
	}
	return 1
}

func element(v any, i int) any {
	switch v := v.(type) {
	case []any:
		return v[i]
	case []scim.Object:
		return v[i]
	case []string:
		return v[i]
	}
	return v
}

// present reports whether v is a value at all: not null, "" or [], and no object or array of only such values
// (RFC 7644, section 3.4.2.2, operator pr).
func present(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case scim.Object:
		for _, x := range v {
			if present(x) {
				return true
			}
		}
		return false
	case []any, []scim.Object, []string:
		return anyPresent(v)
	}
	return true
}

// presentIn is present for an object of these attributes. One that is never returned does not count: a filter must not
// tell whether it has a value.
func presentIn(attributes []*schema.Attribute) test {
	hidden := func(a *schema.Attribute) bool { return a.Returned == schema.Never }
	if !slices.ContainsFunc(attributes,
		func(a *schema.Attribute) bool { return hidden(a) || slices.ContainsFunc(a.SubAttributes, hidden) }) {
		return present
	}
	var tests []test
	for _, a := range attributes {
		if hidden(a) {
			continue
		}
		is := test(present)
		if a.Type == schema.Complex {
			is = some(presentIn(a.SubAttributes))
		}
		tests = append(tests, at(a.Name, is))
	}
	return func(v any) bool { return slices.ContainsFunc(tests, func(t test) bool { return t(v) }) }
}

func anyPresent(array any) bool {
	for i, n := 0, length(array); i < n; i++ {
		if present(element(array, i)) {
			return true
		}
	}
	return false
}
