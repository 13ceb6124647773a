package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Elements lists the elements that v has for a multi-valued attribute: those of an array, none for null and "", else v
// alone. An array that is written as JSON in a string is read; for a complex attribute it is an *scim.Error 400
// invalidValue if that is no JSON. The result may be v itself: it is not to be changed.
func (a *Attribute) Elements(v any) ([]any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		return v, nil
	case string:
		text := strings.TrimSpace(v)
		if text == "" && a.Type == Complex || v == "" {
			return nil, nil
		}
		if strings.HasPrefix(text, "[") {
			list, ok := parseText(text)
			if elements, isList := list.([]any); ok && isList {
				return elements, nil
			}
			if a.Type == Complex {
				return nil, a.badText()
			}
		}
	}
	return []any{v}, nil
}

// Open reads the forms in which clients write one value of a. For a complex attribute it returns an scim.Object with
// the client's own keys, made of
//
//   - an object; if it has no value but a $ref to a resource, the value is the last segment of that address. If the
//     $ref is made by the server, as the manager's is, one that is no such address is an error: nothing would be left
//     of it;
//   - an object that is written as JSON in a string;
//   - a string, if a has a sub-attribute "value"; with d.RequireObjects it is an error.
//
// For a simple attribute it returns v, or with d.ValueObjects the value of {"value": x}. Nil stands for no value: null
// and "". The error is an *scim.Error 400 invalidValue. v is not changed, and the result may share values with it.
func (a *Attribute) Open(v any, d scim.Dialect) (any, error) {
	if v == nil || v == "" {
		return nil, nil
	}
	if a.Type != Complex {
		if o, ok := v.(scim.Object); ok && d.ValueObjects {
			if inner, ok := scim.Field(o, "value"); ok {
				return inner, nil
			}
		}
		return v, nil
	}
	if o, ok := v.(scim.Object); ok {
		return a.withReference(o)
	}
	text, ok := v.(string)
	if !ok {
		return nil, a.wrongType(v)
	}
	if text = strings.TrimSpace(text); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return a.openText(text)
	}
	value := a.Sub("value")
	if value == nil || d.RequireObjects {
		return nil, a.wrongType(v)
	}
	return scim.Object{value.Name: v}, nil
}

// openText is the object that a string holds as JSON, or the only one of an array there.
func (a *Attribute) openText(text string) (any, error) {
	v, ok := parseText(text)
	if list, isList := v.([]any); isList && len(list) == 1 {
		v = list[0]
	}
	o, isObject := v.(scim.Object)
	if !ok || !isObject {
		return nil, a.badText()
	}
	return a.withReference(o)
}

// parseText reads any JSON value.
func parseText(text string) (any, bool) {
	o, err := scim.ParseObject(`{"value":` + text + `}`)
	return o["value"], err == nil && len(o) == 1
}

func (a *Attribute) badText() error {
	want := "an object"
	if a.MultiValued {
		want = "an array of objects"
	}
	return scim.BadRequest(scim.InvalidValue, "The value of %s must be %s; this string begins like JSON, but is not %s.",
		a.FullName(), want, want)
}

// withReference is o with a value that is taken from its $ref, if the client says nothing else of the value.
func (a *Attribute) withReference(o scim.Object) (any, error) {
	value, ref := a.Sub("value"), a.Sub("$ref")
	if value == nil || value.Type != String || ref == nil || !ref.namesResource() {
		return o, nil
	}
	at, _ := scim.Field(o, ref.Name)
	if _, given := scim.Field(o, value.Name); given || at == nil || at == "" {
		return o, nil
	}
	address, _ := at.(string)
	address, _, _ = strings.Cut(address, "?")
	address = strings.TrimRight(address, "/")
	segments := strings.Split(address, "/")
	n := len(segments) - 1
	if n < 1 || strings.Trim(segments[n-1], ".") == "" { // an address ends in an endpoint and an id
		if ref.Mutability == ReadOnly && a.Mutability != ReadOnly {
			return nil, scim.BadRequest(scim.InvalidValue,
				"%s has no value, and its $ref is not the address of a resource. Send the id of the resource as the value.",
				a.FullName())
		}
		return o, nil
	}
	with := make(scim.Object, len(o)+1)
	for k, v := range o {
		with[k] = v
	}
	with[value.Name] = segments[n]
	return with, nil
}

// namesResource says whether a is a reference to SCIM resources (RFC 7643, section 2.3.7).
func (a *Attribute) namesResource() bool {
	return a.Type == Reference && slices.ContainsFunc(a.ReferenceTypes, func(t string) bool {
		return t != "external" &&
			t != "uri"
	})
}

// convert reads a simple value of another type as one of a's type; v itself if that can't be done. A number becomes
// text only if it was written without fraction and exponent, so that its text is known, and not for an immutable
// attribute, where a mistake could not be mended.
func (a *Attribute) convert(v any) any {
	switch a.Type {
	case String:
		if n, ok := v.(int64); ok && a.Mutability != Immutable {
			return strconv.FormatInt(n, 10)
		}
	case Boolean:
		switch v {
		case "0", int64(0):
			return false
		case "1", int64(1):
			return true
		}
	case Integer, Decimal:
		if s, ok := v.(string); ok && isNumber(s) {
			if n, ok := parseText(s); ok {
				return n
			}
		}
	}
	return v
}

// isNumber says whether JSON could read s as a number.
func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789+-.eE") == ""
}
