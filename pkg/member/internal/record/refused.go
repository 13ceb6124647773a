package record

import "fmt"

// Refused is an error of a request: the status is an HTTP status, the detail is for the application's developer.
type Refused struct {
	Status int
	Detail string
}

func (e *Refused) Error() string { return "member: " + e.Detail }

// Refuse returns a *Refused with an HTTP status and a formatted detail.
func Refuse(status int, format string, args ...any) error {
	return &Refused{Status: status, Detail: fmt.Sprintf(format, args...)}
}
