package provlog

import (
	"strings"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// The texts in the place of a value.
const (
	hiddenSecret   = "(secret)"
	hiddenPersonal = "(redacted)"
)

// redactor takes secrets out of request bodies, and personal data. The parts that an administrator needs stay: the
// names of attributes, operations and paths, types and switches, ids, roles, and the domain of an address.
type redactor struct {
	// secret are the folded names of attributes that are never returned.
	secret map[string]bool
	// personal says that personal data stays.
	personal bool
	// group says that the resource is a group, whose names are nobody's.
	group bool
	// untold says that the resource type is not known, and therefore neither are the names of its secrets.
	untold bool
	// hidden are the texts of secrets that were taken out, for other texts that repeat them.
	hidden *[]string
}

// redactorOf is the redactor of bodies that are sent for a resource type.
func redactorOf(rt *schema.ResourceType, personal bool) redactor {
	r := redactor{secret: map[string]bool{}, personal: personal, hidden: &[]string{}}
	if rt == nil {
		r.untold = true
		return r
	}
	r.group = rt.ID == schema.GroupType().ID || rt.ID == schema.MembershipType().ID
	r.hide(rt.Core)
	for _, e := range rt.Extensions {
		r.hide(e.Schema)
	}
	return r
}

func (r redactor) hide(s *schema.Schema) {
	for _, a := range s.Attributes {
		r.hideOne(a)
		for _, sub := range a.SubAttributes {
			r.hideOne(sub)
		}
	}
}

func (r redactor) hideOne(a *schema.Attribute) {
	if a.Returned == schema.Never || a.Mutability == schema.WriteOnly {
		r.secret[scim.Fold(a.Name)] = true
	}
}

// secretParts are parts of attribute names that mark a secret, no matter how the schema defines the attribute.
var secretParts = []string{
	"password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "privatekey",
}

func (r redactor) isSecret(name string) bool {
	folded := scim.Fold(name)
	for _, part := range secretParts {
		if strings.Contains(folded, part) {
			return true
		}
	}
	return r.secret[folded]
}

// plain are the names of attributes whose values say nothing about a person, in lower case.
var plain = map[string]bool{
	"schemas": true, "op": true, "type": true, "primary": true, "active": true, "id": true,
	"$ref": true, "resourcetype": true, "roles": true, "entitlements": true, "usertype": true, "meta": true,
	"members": true, "manager": true, "preferredlanguage": true, "locale": true, "timezone": true, "location": true,
}

// named are the names that are plain in a group.
var named = map[string]bool{"displayname": true, "externalid": true, "group": true, "member": true, "value": true}

func (r redactor) isPlain(name string) bool {
	folded := scim.Fold(name)
	return r.personal || plain[folded] || r.group && named[folded]
}

// body is a request body, redacted.
func (r redactor) body(o scim.Object) scim.Object {
	out, _ := r.value("", o, false).(scim.Object)
	return out
}

// value redacts v, the value of an attribute. inside says that the attribute around it is plain.
func (r redactor) value(name string, v any, inside bool) any {
	switch is := v.(type) {
	case scim.Object:
		return r.object(is, inside)
	case []any:
		out := make([]any, len(is))
		for i, e := range is {
			out[i] = r.value(name, e, inside)
		}
		return out
	case string:
		if kept := r.text(is, inside); kept != is {
			return kept
		}
	case bool, nil:
	default: // a number
		if !inside {
			return hiddenPersonal
		}
	}
	return v
}

func (r redactor) object(o scim.Object, inside bool) scim.Object {
	out := make(scim.Object, len(o))
	path, isOperation := pathOf(o)
	hides := r.secretEnd(path) >= 0 // also if the op was forgotten
	for key, v := range o {
		switch folded := scim.Fold(key); {
		case (isOperation || hides) && folded == "path":
			text, _ := v.(string)
			out[key] = r.path(text)
		case hides && folded != "op":
			out[key] = r.secretValue(v)
		case folded == "filter":
			out[key] = r.filter(v)
		case isOperation && folded == "value" && path != "":
			first, _, _ := strings.Cut(path, "[")
			out[key] = r.value(path, v, r.isPlain(last(path)) || r.isPlain(last(first)))
		case !r.personal && (folded == "display" || folded == "displayname" && !r.group):
			out[key] = r.value(key, v, false) // the name of a member or manager
		default:
			name, v := r.pair(key, v, inside)
			out[name] = v
		}
	}
	return out
}

// pathOf is the path of an operation of a PATCH; ok says that o is one.
func pathOf(o scim.Object) (path string, ok bool) {
	v, _ := scim.Field(o, "path")
	path, _ = v.(string)
	_, ok = scim.Field(o, "op")
	return path, ok
}

// pair redacts a name in an object and its value. The name may be a path, as Entra writes it with its flag.
func (r redactor) pair(key string, v any, inside bool) (string, any) {
	if r.secretEnd(key) >= 0 {
		return r.path(key), r.secretValue(v)
	}
	v = r.value(key, v, inside || r.isPlain(key) || r.isPlain(last(key)))
	if strings.Contains(key, `"`) {
		key = r.path(key)
	}
	return key, v
}

// secretValue stands for the value of a secret.
func (r redactor) secretValue(v any) string {
	switch v := v.(type) {
	case string:
		*r.hidden = append(*r.hidden, v)
	case []any:
		for _, e := range v {
			r.secretValue(e)
		}
	case scim.Object:
		for _, e := range v {
			r.secretValue(e)
		}
	}
	return hiddenSecret
}

// filter redacts the filter of a search. If the names of secrets are not known, nothing of it is shown.
func (r redactor) filter(v any) any {
	text, isText := v.(string)
	switch {
	case !isText || !r.personal:
		return r.value("filter", v, false)
	case r.untold:
		return hiddenSecret
	}
	return r.path(text)
}

// secretEnd is the place after the first name of a secret in a path or filter; -1: there is none.
func (r redactor) secretEnd(text string) int {
	for from := 0; from < len(text); {
		n := strings.IndexFunc(text[from:], func(c rune) bool { return !isNamePart(c) })
		if n < 0 {
			n = len(text) - from
		}
		name := text[from : from+n]
		name = name[strings.LastIndexByte(name, ':')+1:]
		for one := range strings.SplitSeq(name, ".") {
			if r.isSecret(one) {
				return from + n
			}
		}
		from += n
		_, size := utf8.DecodeRuneInString(text[from:])
		from += size
	}
	return -1
}

// isNamePart reports whether a character may be part of the name of an attribute, with its URN and sub-attribute.
func isNamePart(c rune) bool {
	return c > ' ' && !strings.ContainsRune(`[]()"'\=<>,`, c)
}

// clean takes the secrets that were hidden out of another text that may repeat them.
func (r redactor) clean(text string) string {
	for _, secret := range *r.hidden {
		if len(secret) >= minName {
			text = strings.ReplaceAll(text, secret, hiddenSecret)
		}
	}
	return text
}

// last is the last name of a path, without its URN and its filter.
func last(path string) string {
	if i := strings.LastIndexByte(path, ']'); i >= 0 && i+1 < len(path) {
		path = path[i+1:]
	} else if i := strings.IndexByte(path, '['); i >= 0 {
		path = path[:i]
	}
	if i := strings.LastIndexByte(path, ':'); i >= 0 {
		path = path[i+1:]
	}
	return path[strings.LastIndexByte(path, '.')+1:]
}

// path returns a path without the values of its filter that may be personal data. A type stays, as in
// emails[type eq "work"], and the id of a group's member. All that is after the name of a secret goes.
func (r redactor) path(text string) string {
	if end := r.secretEnd(text); end >= 0 && end < len(text) {
		values := strings.FieldsFunc(text[end:], func(c rune) bool { return c == '"' || c == '\'' })
		if len(values) > 1 { // the first is the operator
			*r.hidden = append(*r.hidden, values[1:]...)
		}
		return r.path(text[:end]) + hiddenSecret
	}
	before, _, quoted := strings.Cut(text, `"`)
	switch {
	case !quoted:
		return text
	case !r.personal && strings.Contains(text, `\`): // a text may go on behind its quotation mark
		return before + `"` + hiddenPersonal + `"`
	}
	around, _, _ := strings.Cut(before, "[")
	parts := strings.Split(text, `"`)
	for i := 1; i < len(parts); i += 2 {
		name := compared(parts[i-1])
		if !r.isPlain(name) && (!r.isPlain(last(around)) || scim.Fold(name) == "display") {
			parts[i] = r.text(parts[i], false)
		}
	}
	return strings.Join(parts, `"`)
}

// compared returns the attribute that a value is compared with, from the text before the value.
func compared(before string) string {
	words := strings.Fields(before)
	if len(words) < 2 {
		return ""
	}
	name := words[len(words)-2]
	return last(name[strings.LastIndexAny(name, "[(")+1:])
}

// text redacts a text. The domain of an address stays: it shows whether the right one is sent.
func (r redactor) text(s string, plain bool) string {
	if plain || r.personal || s == "" {
		return s
	}
	if at := strings.LastIndexByte(s, '@'); at > 0 && !strings.ContainsAny(s, " <>") {
		return hiddenPersonal + s[at:]
	}
	return hiddenPersonal
}
