package record

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// CheckName checks the name of a tenant: up to 256 bytes of UTF-8 without control and formatting characters, and not
// blank.
func CheckName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return Invalid("name", "must be given and must not be blank")
	case len(name) > maxNameBytes:
		return Invalid("name", fmt.Sprintf("must not be longer than %d bytes", maxNameBytes))
	case !visible(name):
		return Invalid("name", invisible)
	}
	return nil
}

// invisible is the problem of a name that is not visible.
const invisible = "must not contain control or formatting characters"

// visible reports whether a name has no control characters, line breaks or formatting characters: these can make one
// name look like another (Unicode Technical Report 36, section 2.5). The two joiners are part of how some languages
// and emoji are written.
func visible(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool {
		const nonJoiner, joiner = '\u200c', '\u200d'
		return r != nonJoiner && r != joiner && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
	})
}

// CheckIdP checks that idp is one of scim.IdPs.
func CheckIdP(idp string) error {
	if known := scim.IdPs(); !slices.Contains(known, idp) {
		return Invalid("idp", "must be one of "+strings.Join(known, ", "))
	}
	return nil
}

// Object returns the fields of the record that a merge patch can change.
func (r *Record) Object() scim.Object {
	return scim.Object{"name": r.Name, "idp": r.IdP, "active": !r.Off, "settings": r.Settings.Object()}
}

// Set is the inverse of Object; it checks every value.
func (r *Record) Set(o scim.Object) error {
	name, ok := o["name"].(string)
	if !ok {
		return Invalid("name", "must be a string")
	}
	if err := CheckName(name); err != nil {
		return err
	}
	idp := DefaultIdP
	if v, given := o["idp"]; given {
		if idp, ok = v.(string); !ok {
			return Invalid("idp", "must be a string")
		}
	}
	if err := CheckIdP(idp); err != nil {
		return err
	}
	on, ok := o["active"].(bool)
	if !ok {
		return Invalid("active", "must be true or false")
	}
	inner, err := Object(o["settings"], "settings")
	if err != nil {
		return err
	}
	settings, err := ParseSettings(inner)
	if err != nil {
		return err
	}
	r.Name, r.IdP, r.Off, r.Settings = name, idp, !on, settings
	return nil
}

// MergePatch is the algorithm of RFC 7396, section 2. It changes target.
func MergePatch(target, patch any) any {
	changes, ok := patch.(scim.Object)
	if !ok {
		return patch
	}
	result, ok := target.(scim.Object)
	if !ok {
		result = scim.Object{}
	}
	for key, v := range changes {
		if v == nil {
			delete(result, key)
			continue
		}
		result[key] = MergePatch(result[key], v)
	}
	return result
}
