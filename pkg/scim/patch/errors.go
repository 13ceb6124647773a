package patch

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

func errNoPath() error {
	return scim.BadRequest(scim.NoTarget, "A remove needs a path to the attribute to remove.")
}

func errNoValue(k Kind) error {
	return scim.BadRequest(scim.InvalidValue, "A value is missing: %s needs one.", k)
}

func errNoObject() error {
	return scim.BadRequest(scim.InvalidValue, "Without a path, value must be an object of attributes.")
}

func errUnknownPath() error {
	return scim.BadRequest(scim.InvalidPath, "The path is not an attribute of this resource; /Schemas lists them all.")
}

func errReadOnly(name string) error {
	return scim.BadRequest(scim.Mutability, "%s is read-only.", name)
}

func errImmutable(name string) error {
	return scim.BadRequest(scim.Mutability, "%s is set already and can't be changed.", name)
}

func errRequired(name string) error {
	return scim.BadRequest(scim.Mutability, "%s is required and can't be removed.", name)
}

func errRequiredValue(name string) error {
	return scim.BadRequest(scim.InvalidValue, "%s is required and needs a value.", name)
}

func errNothingNamed() error {
	return scim.BadRequest(scim.InvalidValue,
		"The value matches nothing to remove; leave value out to remove all that path names.")
}

func errNothingKnown(a *schema.Attribute) error {
	return scim.BadRequest(scim.InvalidValue,
		"The value does not name a part of %s that can be changed; /Schemas lists its sub-attributes.", a.FullName())
}

func errNoTarget(why string) error {
	return scim.BadRequest(scim.NoTarget, "No value matches the filter%s.", why)
}

// located adds the operation's number and path to an error's detail, unless the detail names the path itself. It
// changes a copy: the error may be shared.
func located(err error, operation int, kind Kind, path string) error {
	var e *scim.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	where := fmt.Sprintf("Operation %d", operation)
	if path != "" && !names(e.Detail, path) {
		where += fmt.Sprintf(", %s %s", kind, shortened(path))
	}
	c.Detail = where + ": " + e.Detail
	return &c
}

// names reports whether path is one of the words of a text.
func names(text, path string) bool {
	text, path = strings.ToLower(text), strings.ToLower(path)
	part := func(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' }
	for from := 0; ; {
		i := strings.Index(text[from:], path)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(path)
		if (start == 0 || !part(text[start-1])) && (end == len(text) || !part(text[end])) {
			return true
		}
		from = start + 1
	}
}

// shortened cuts a client's text to a length that fits an error message.
func shortened(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}
