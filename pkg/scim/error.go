package scim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrorType is the scimType of an error: the keyword that distinguishes errors of one status (RFC 7644, section
// 3.12, table 9).
type ErrorType string

// The error types of RFC 7644. NoType is for errors without a scimType.
const (
	NoType        ErrorType = ""
	InvalidFilter ErrorType = "invalidFilter"
	TooMany       ErrorType = "tooMany"
	Uniqueness    ErrorType = "uniqueness"
	Mutability    ErrorType = "mutability"
	InvalidSyntax ErrorType = "invalidSyntax"
	InvalidPath   ErrorType = "invalidPath"
	NoTarget      ErrorType = "noTarget"
	InvalidValue  ErrorType = "invalidValue"
	InvalidVers   ErrorType = "invalidVers"
	Sensitive     ErrorType = "sensitive"
)

// The error types of RFC 9865, section 2.1.
const (
	InvalidCursor ErrorType = "invalidCursor"
	ExpiredCursor ErrorType = "expiredCursor"
	InvalidCount  ErrorType = "invalidCount"
)

// Error is an error that a SCIM client may see. Its text is for an IT administrator. Any other error that reaches
// the HTTP edge is a 500 whose text is logged and not sent.
type Error struct {
	// Status is the HTTP status code.
	Status int
	// Type is the scimType; empty for most statuses but 400 and 409.
	Type ErrorType
	// Detail describes the fault in plain words and, if possible, how to correct it.
	Detail string
	// RetryAfter asks the client to wait (429, 503); sent as whole seconds, rounded up. Zero sends nothing.
	RetryAfter time.Duration
}

// Error implements error. Its text is the detail, prefixed by status and scimType.
func (e *Error) Error() string {
	if e.Type == NoType {
		return fmt.Sprintf("scim: %d: %s", e.Status, e.Detail)
	}
	return fmt.Sprintf("scim: %d %s: %s", e.Status, e.Type, e.Detail)
}

// Errorf creates an Error with a formatted detail.
func Errorf(status int, t ErrorType, format string, args ...any) *Error {
	return &Error{Status: status, Type: t, Detail: fmt.Sprintf(format, args...)}
}

// BadRequest creates a 400 of type t with a formatted detail.
func BadRequest(t ErrorType, format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, t, format, args...)
}

// Object is the body of the error message (RFC 7644, section 3.12). The status is a string, as the RFC has it; scimType
// is left out if there is none.
func (e *Error) Object() Object {
	o := Object{"schemas": []any{ErrorURN}, "status": strconv.Itoa(e.Status), "detail": e.Detail}
	if e.Type != NoType {
		o["scimType"] = string(e.Type)
	}
	return o
}

// maxQuoted is how much of a client's own text an error repeats, in bytes.
const maxQuoted = 80

// Quote puts a name or value of a client into double quotes for a detail, shortened if it is long.
func Quote(s string) string {
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + "…"
	}
	return strconv.Quote(s)
}
