package awsmail

import (
	"context"
	"errors"

	"github.com/aws/smithy-go"
)

// quietError is an error of AWS without its text, which may quote addresses.
type quietError struct {
	code string
	err  error
}

func (e *quietError) Error() string { return e.code }

// Unwrap lets callers recognise the end of a context.
func (e *quietError) Unwrap() error { return e.err }

// quiet removes the text from an error response of AWS, so that it can be logged.
func quiet(err error) error {
	answered := smithy.APIError(nil)
	if errors.As(err, &answered) {
		return &quietError{code: answered.ErrorCode()}
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			return ended
		}
	}
	return &quietError{code: "no answer", err: err}
}
