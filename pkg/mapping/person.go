package mapping

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// email is the primary e-mail address of a user, else the first.
func email(user scim.Object) (address string) {
	list, _ := user["emails"].([]any)
	for _, v := range list {
		o, _ := v.(scim.Object)
		s, _ := o["value"].(string)
		if s != "" && (address == "" || o["primary"] == true) {
			address = s
		}
		if address != "" && o["primary"] == true {
			break
		}
	}
	return address
}

func manager(user scim.Object) string {
	enterprise, _ := user[scim.EnterpriseUserURN].(scim.Object)
	m, _ := enterprise["manager"].(scim.Object)
	value, _ := m["value"].(string)
	return value
}

// value returns an attribute's value for the application: the first value of a path that gives one at most, else an
// array. It is nil if there is no value, or if the value as JSON is longer than MaxValueBytes.
func (a Attribute) value(user scim.Object) any {
	var all []any
	a.path.values(user, func(v any) bool {
		all = append(all, v)
		return !a.path.single()
	})
	if len(all) == 0 {
		return nil
	}
	var v any = all
	if a.path.single() {
		v = all[0]
	}
	if len(scim.AppendJSON(nil, v)) > MaxValueBytes {
		return nil
	}
	return v
}

// maxShown is how much of a name a sentence shows, in bytes.
const maxShown = 100

// show is a name that came from outside, for a sentence: as it is if it has plain characters only, else in quotes with
// control and direction characters escaped.
func show(name string) string {
	plain := name != "" && len(name) <= maxShown && utf8.ValidString(name) && strings.TrimSpace(name) == name &&
		!strings.ContainsFunc(name, func(r rune) bool {
			return r == '"' || r == '\\' || r != ' ' && !unicode.IsGraphic(r) || r != ' ' && unicode.IsSpace(r)
		})
	if plain {
		return name
	}
	if len(name) > maxShown {
		name = strings.ToValidUTF8(name[:maxShown], "") + "…"
	}
	return strconv.QuoteToGraphic(name)
}

func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// in names the organisation of a target in a sentence; nothing if it has none.
func in(organisation string) string {
	if organisation == "" {
		return ""
	}
	return " in " + show(organisation)
}
