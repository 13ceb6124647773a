package schema

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Normalize returns the canonical form of an attribute's whole value: []any for a multi-valued attribute,
// scim.Object for a complex one, else string, bool, int64 or float64. The result is nil if the value means
// "unassigned" (RFC 7643, section 2.5): null, "", [], {}, or an array or object of nothing else.
//
// It accepts the forms that clients write: "True" and "false" for a boolean, an integral 5.0 for an integer, a
// value instead of an array of one, an array of one instead of a value, and the forms that Elements and Open read.
// An element that holds only type, primary and $ref is left out. Elements that differ only in primary are one
// element. Only these formats are checked: dateTime (section 2.3.5), binary (base64, section 2.3.6) and, with
// d.SecurePhotos, photos. Canonical values are suggestions. Unknown sub-attributes are dropped (400 with
// d.RejectUnknownAttributes) and so are read-only ones. More than one primary value is an error in every dialect.
//
// Limits and required attributes are not checked here: see ResourceType.Check. The error is an *scim.Error 400
// invalidValue.
func (a *Attribute) Normalize(v any, d scim.Dialect) (any, error) {
	if !a.MultiValued {
		return a.single(v, d)
	}
	if o, ok := v.(scim.Object); ok && a.Type == Complex && len(o) == 0 {
		return nil, nil
	}
	list, err := a.Elements(v)
	if err != nil {
		return nil, err
	}
	elements := make([]any, 0, len(list))
	for _, v := range list {
		e, err := a.NormalizeElement(v, d)
		if err != nil {
			return nil, err
		}
		if !a.blank(e) {
			elements = append(elements, e)
		}
	}
	if elements = distinct(elements); len(elements) == 0 {
		if v := a.Sub("value"); len(list) > 0 && v != nil && v.Required {
			return nil, a.EmptyElements()
		}
		return nil, nil
	}
	if err := a.checkPrimary(elements); err != nil {
		return nil, err
	}
	return elements, nil
}

// EmptyElements is the error 400 for an array whose elements are all empty.
func (a *Attribute) EmptyElements() error {
	return scim.BadRequest(scim.InvalidValue,
		"The elements of %s are all empty: null, \"\" or {}. Send [] if there is to be no value.", a.FullName())
}

// single normalises the value of a single-valued attribute: it opens an array of one.
func (a *Attribute) single(v any, d scim.Dialect) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return a.NormalizeElement(v, d)
	}
	switch len(list) {
	case 0:
		return nil, nil
	case 1:
		return a.NormalizeElement(list[0], d)
	}
	return nil, scim.BadRequest(scim.InvalidValue, "%s takes one value, not %d.", a.FullName(), len(list))
}

// NormalizeElement returns the canonical form of one element of a multi-valued attribute, as Normalize does, but
// keeps an element that holds only labels: see OnlyLabels. The result is nil if the element is empty.
func (a *Attribute) NormalizeElement(v any, d scim.Dialect) (any, error) {
	v, err := a.Open(v, d)
	if err != nil || v == nil || v == "" {
		return nil, err
	}
	if o, ok := v.(scim.Object); ok && a.Type == Complex {
		return a.complexValue(o, d)
	}
	if d.ConvertTypes {
		v = a.convert(v)
	}
	if err := a.checkSimple(v); err != nil {
		return nil, err
	}
	c := a.scalar(v)
	if c == nil {
		return nil, a.wrongType(v)
	}
	if s, ok := c.(string); ok && a.Secure && d.SecurePhotos && !isSecureURL(s) {
		return nil, scim.BadRequest(scim.InvalidValue, "The value of %s must be an absolute https URL, such as "+
			"https://example.com/photo.jpg. Map an attribute with such a URL, or remove %s from the attribute mapping.",
			a.FullName(), a.FullName())
	}
	return c, nil
}

// isSecureURL reports whether s is an absolute https URL with a host (RFC 3986, section 4.3).
func isSecureURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && !strings.ContainsFunc(s, unicode.IsSpace)
}

// scalar coerces the value of a simple attribute; nil if that can't be done.
func (a *Attribute) scalar(v any) any {
	switch a.Type {
	case Boolean:
		return toBool(v)
	case Integer:
		return toInteger(v)
	case Decimal:
		switch v.(type) {
		case int64, float64:
			return v
		}
		return nil
	}
	s, ok := v.(string)
	if !ok || a.Type == DateTime && !isDateTime(s) || a.Type == Binary && !isBase64(s) {
		return nil
	}
	return v
}

func toBool(v any) any {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		if strings.EqualFold(v, "true") {
			return true
		}
		if strings.EqualFold(v, "false") {
			return false
		}
	}
	return nil
}

func toInteger(v any) any {
	if n, ok := scim.Whole(v); ok {
		return n
	}
	return nil
}

func isDateTime(s string) bool {
	_, ok := scim.ParseTime(s)
	return ok
}

// isBase64 accepts both alphabets of RFC 4648, padded or not, and line breaks.
func isBase64(s string) bool {
	n, pad := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\r' || c == '\n':
		case c == '=':
			pad++
		case pad > 0:
			return false
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '+', c == '/', c == '-', c == '_':
			n++
		default:
			return false
		}
	}
	return n%4 != 1 && (pad == 0 || pad <= 2 && (n+pad)%4 == 0)
}

// complexValue normalises one complex value.
func (a *Attribute) complexValue(o scim.Object, d scim.Dialect) (any, error) {
	if len(o) == 0 && !a.MultiValued {
		return nil, nil
	}
	out := make(scim.Object, len(o))
	known := 0
	for _, sub := range a.SubAttributes {
		v, ok := o[sub.Name]
		if !ok {
			continue
		}
		known++
		if err := sub.setIn(out, v, d); err != nil {
			return nil, err
		}
	}
	if known < len(o) {
		if err := a.otherSpellings(out, o, d); err != nil {
			return nil, err
		}
	}
	if err := a.CheckRequired(out); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// otherSpellings handles the keys of o that are not written as declared: in another case, or unknown.
func (a *Attribute) otherSpellings(out, o scim.Object, d scim.Dialect) error {
	for _, k := range sortedKeys(o) {
		sub := a.Sub(k)
		if sub == nil {
			if d.RejectUnknownAttributes {
				return unknownAttribute(a.FullName() + "." + k)
			}
			continue
		}
		if _, ok := o[sub.Name]; ok {
			continue
		}
		if err := sub.setIn(out, o[k], d); err != nil {
			return err
		}
	}
	return nil
}

func (a *Attribute) setIn(o scim.Object, v any, d scim.Dialect) error {
	if a.Mutability == ReadOnly {
		return nil
	}
	v, err := a.Normalize(v, d)
	if v != nil {
		o[a.Name] = v
	}
	return err
}

// CheckRequired looks for the required sub-attributes of one complex value. An empty single value counts as
// unassigned and is not checked; an empty element of an array is. The error is an *scim.Error 400 invalidValue.
func (a *Attribute) CheckRequired(o scim.Object) error {
	if len(o) == 0 && !a.MultiValued {
		return nil
	}
	for _, sub := range a.SubAttributes {
		if sub.Required && sub.Mutability != ReadOnly && isBlank(o[sub.Name]) {
			return scim.BadRequest(scim.InvalidValue, "%s is required in each value of %s and must not be empty.",
				sub.FullName(), a.FullName())
		}
	}
	return nil
}

// wrongType returns the error that names the type an attribute takes. It never repeats the value, which may be a
// secret.
func (a *Attribute) wrongType(v any) error {
	want := "a string"
	switch a.Type {
	case Boolean:
		want = "true or false"
	case Integer:
		want = "an integer number"
	case Decimal:
		want = "a number"
	case DateTime:
		want = "a date and time such as \"2026-11-22T08:00:00Z\""
	case Binary:
		want = "base64 text"
	case Complex:
		want = "an object"
	}
	return scim.BadRequest(scim.InvalidValue, "The value of %s must be %s, not %s.", a.FullName(), want, kind(v))
}

// kind names the type of a JSON value.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64:
		return "a number"
	case float64:
		return "a decimal number"
	case string:
		return "this string"
	case []any:
		return "an array"
	case scim.Object:
		return "an object"
	}
	return "something else"
}
