package provlog

import (
	"strings"

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
}

// redactorOf is the redactor of bodies that are sent for a resource type.
func redactorOf(rt *schema.ResourceType, personal bool) redactor {
	r := redactor{secret: map[string]bool{}, personal: personal}
	if rt == nil {
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
		for _, one := range append([]*schema.Attribute{a}, a.SubAttributes...) {
			if one.Returned == schema.Never || one.Mutability == schema.WriteOnly {
				r.secret[scim.Fold(one.Name)] = true
			}
		}
	}
}

// secretParts are parts of attribute names that mark a secret, no matter how the schema defines the attribute.
var secretParts = []string{"password", "secret", "token", "credential", "privatekey"}

func (r redactor) isSecret(name string) bool {
	folded := scim.Fold(name)
	for _, part := range secretParts {
		if strings.Contains(folded, part) {
			return true
		}
	}
	return r.secret[folded]
}

// plain are the names of attributes whose values tell nothing of a person, in lower case.
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
	switch v := v.(type) {
	case scim.Object:
		return r.object(v, inside)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = r.value(name, e, inside)
		}
		return out
	case string:
		return r.text(v, inside)
	case bool, nil:
		return v
	}
	if inside {
		return v
	}
	return hiddenPersonal // a number
}

func (r redactor) object(o scim.Object, inside bool) scim.Object {
	out := make(scim.Object, len(o))
	path, isOperation := pathOf(o)
	for key, v := range o {
		switch folded := scim.Fold(key); {
		case isOperation && folded == "path":
			text, _ := v.(string)
			out[key] = r.path(text)
		case isOperation && folded == "value" && path != "":
			out[key] = r.at(path, v)
		case !r.personal && (folded == "display" || folded == "displayname" && !r.group):
			out[key] = r.value(key, v, false) // the name of a member or manager
		default:
			out[r.path(key)] = r.under(key, v, inside)
		}
	}
	return out
}

// pathOf is the path of an operation of a PATCH; ok says that o is one.
func pathOf(o scim.Object) (path string, ok bool) {
	if _, ok = scim.Field(o, "op"); !ok {
		return "", false
	}
	v, _ := scim.Field(o, "path")
	path, _ = v.(string)
	return path, true
}

// under redacts the value of a member of an object. Its name may be a path, as Entra writes it with its flag.
func (r redactor) under(key string, v any, inside bool) any {
	if r.isSecret(last(key)) {
		return hiddenSecret
	}
	return r.value(key, v, inside || r.isPlain(key) || r.isPlain(last(key)))
}

// at redacts a value that is sent for a path.
func (r redactor) at(path string, v any) any {
	first, _, _ := strings.Cut(path, "[")
	if r.isSecret(last(path)) || r.isSecret(last(first)) {
		return hiddenSecret
	}
	return r.value(path, v, r.isPlain(last(path)) || r.isPlain(last(first)))
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

// path returns a path without the values of its filter that may tell of a person. A type stays, as in
// emails[type eq "work"], and the id of a group's member.
func (r redactor) path(text string) string {
	parts := strings.Split(text, `"`)
	switch {
	case len(parts) == 1:
		return text
	case !r.personal && strings.Contains(text, `\`): // a text may go on behind its quotation mark
		return parts[0] + `"` + hiddenPersonal + `"`
	}
	around, _, _ := strings.Cut(parts[0], "[")
	for i := 1; i < len(parts); i += 2 {
		switch name := compared(parts[i-1]); {
		case r.isSecret(name):
			parts[i] = hiddenSecret
		case !r.isPlain(name) && (!r.isPlain(last(around)) || scim.Fold(name) == "display"):
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

// text redacts a text. Of an address the domain stays: it tells whether the right one is sent.
func (r redactor) text(s string, plain bool) string {
	if plain || r.personal || s == "" {
		return s
	}
	if at := strings.LastIndexByte(s, '@'); at > 0 && !strings.ContainsAny(s, " <>") {
		return hiddenPersonal + s[at:]
	}
	return hiddenPersonal
}
