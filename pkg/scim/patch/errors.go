package patch

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

func errNoPath() error {
	return scim.BadRequest(scim.NoTarget, "a remove needs a path that says what to remove")
}

func errNoValue(k Kind) error {
	return scim.BadRequest(scim.InvalidValue, "value is missing: %s needs one", k)
}

func errNoObject() error {
	return scim.BadRequest(scim.InvalidValue, "without a path, value must be an object of attributes")
}

func errUnknownPath() error {
	return scim.BadRequest(scim.InvalidPath, "the path names no attribute of this resource; /Schemas lists them all")
}

func errReadOnly(name string) error {
	return scim.BadRequest(scim.Mutability, "%s is read-only", name)
}

func errImmutable(name string) error {
	return scim.BadRequest(scim.Mutability, "%s is set already and cannot be changed", name)
}

func errRequired(name string) error {
	return scim.BadRequest(scim.Mutability, "%s is required and cannot be removed", name)
}

func errRequiredValue(name string) error {
	return scim.BadRequest(scim.InvalidValue, "%s is required and needs a value", name)
}

func errNoTarget(why string) error {
	return scim.BadRequest(scim.NoTarget, "no value matches the filter%s", why)
}

// prefixed says in an error's detail where it happened. The error is copied: others may hold on to it.
func prefixed(err error, format string, args ...any) error {
	var e *scim.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	c.Detail = fmt.Sprintf(format, args...) + c.Detail
	return &c
}

// shortened cuts what a client sent to a length that fits an error message.
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
