package schema

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Elements lists the elements that v has for a multi-valued attribute: those of an array, none for null and "",
// else v alone. An array that is written as JSON in a string is read; for a complex attribute it is an *scim.Error
// 400 invalidValue if that is no JSON. The result may be v itself: it must not be changed.
func (a *Attribute) Elements(v any) ([]any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		return v, nil
	case string:
		if v == "" {
			return nil, nil
		}
		if text := trim(v); strings.HasPrefix(text, "[") {
			list, _ := parseText(text)
			if elements, ok := list.([]any); ok {
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
//     server makes the $ref, such as the manager's, a $ref that is no such address is an error, because the value
//     would be lost;
//   - an object that is written as JSON in a string;
//   - a string, if a has a sub-attribute "value" and the string is no JSON, not blank, and no list of ids; with
//     d.RequireObjects it is an error.
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
	if text = trim(text); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return a.openText(text)
	}
	if text == "" || isJSON(text) || scim.SeveralIDs(text) {
		return nil, a.badText()
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

// trim takes white space and a byte order mark from around a text.
func trim(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return r == '\ufeff' || unicode.IsSpace(r) })
}

// parseText reads any JSON value.
func parseText(text string) (any, bool) {
	o, err := scim.ParseObject(`{"value":` + text + `}`)
	return o["value"], err == nil && len(o) == 1
}

// isJSON reports whether a text is JSON but for a number, or begins like an object or array of some language, or is
// a text in brackets: it is no address, number or id then. An id in braces is not JSON.
func isJSON(text string) bool {
	switch {
	case text == "null", text == "true", text == "false", strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]"):
		return true
	}
	for _, start := range []string{`{"`, `["`, `[{`, `{'`, `['`} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	if text == "" || strings.IndexByte(`{["`, text[0]) < 0 {
		return false
	}
	_, ok := parseText(text)
	return ok
}

// whole describes the form of a whole complex attribute.
func (a *Attribute) whole() string {
	if a.MultiValued {
		return "an array of objects"
	}
	return "an object"
}

func (a *Attribute) badText() error {
	return scim.BadRequest(scim.InvalidValue,
		"The value of %s must be %s. This string is blank, a list, or JSON of another kind.", a.FullName(), a.whole())
}

// checkSimple refuses U+0000, and the text of JSON, or of several values, as a simple value that can be neither.
func (a *Attribute) checkSimple(v any) error {
	s, _ := v.(string)
	if strings.IndexByte(s, 0) >= 0 {
		return scim.BadRequest(scim.InvalidValue, "%s must not have U+0000: databases can't store it.", a.FullName())
	}
	if s = trim(s); a.simple && (isJSON(s) || scim.Several(s)) {
		return scim.BadRequest(scim.InvalidValue,
			"The value of %s must be one value, not the text of a list or of JSON. Send arrays and objects as JSON, "+
				"not as strings.", a.FullName())
	}
	return nil
}

// withReference is o with a value that is taken from its $ref, if the client says nothing else of the value.
func (a *Attribute) withReference(o scim.Object) (any, error) {
	value, ref := a.Sub("value"), a.Sub("$ref")
	if value == nil || value.Type != String || ref == nil || !ref.namesResource() {
		return o, nil
	}
	for _, name := range []string{value.Name, formerNames[a.path]} {
		if _, said := scim.Field(o, name); said {
			return o, nil
		}
	}
	at, _ := scim.Field(o, ref.Name)
	if at == nil || at == "" {
		return o, nil
	}
	id := ref.idIn(at)
	if id == "" {
		if ref.Mutability == ReadOnly && a.Mutability != ReadOnly {
			return nil, scim.BadRequest(scim.InvalidValue,
				"%s has no value, and its $ref is not the URL of a resource. Send the id of the resource as the value.",
				a.FullName())
		}
		return o, nil
	}
	with := make(scim.Object, len(o)+1)
	for k, v := range o {
		with[k] = v
	}
	with[value.Name] = id
	return with, nil
}

// idIn is the id in the address of a resource that a may refer to; "" if it is no such address.
func (a *Attribute) idIn(address any) string {
	text, _ := address.(string)
	text, _, _ = strings.Cut(text, "?")
	segments := strings.Split(strings.TrimRight(text, "/"), "/")
	n := len(segments) - 1
	if n < 1 { // an address ends in an endpoint and an id
		return ""
	}
	for _, t := range a.ReferenceTypes {
		custom := t != "User" && t != "Group" && strings.Trim(segments[n-1], ".") != ""
		if custom || strings.EqualFold(segments[n-1], t+"s") {
			return segments[n]
		}
	}
	return ""
}

// namesResource reports whether a is a reference to SCIM resources (RFC 7643, section 2.3.7).
func (a *Attribute) namesResource() bool {
	return a.Type == Reference && slices.ContainsFunc(a.ReferenceTypes, func(t string) bool {
		return t != "external" && t != "uri"
	})
}

// convert reads a simple value of another type as one of a's type; v itself if that can't be done. A number becomes
// text only if it was written without fraction and exponent, so that its text is known, and not for an immutable
// attribute, in which a mistake can't be corrected.
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

// isNumber reports whether JSON could read s as a number.
func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789+-.eE") == ""
}
