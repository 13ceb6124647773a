// Package precondition carries a caller's condition on the current state of something, such as an entity tag, to the
// code that reads the state in order to change it. There the condition is checked on exactly the state that the change
// replaces. A check at the edge would not suffice: another request could make a change in between.
package precondition

import "context"

// Check is a condition on the current state; an error refuses the change. The package that calls Of defines the type of
// current, which is nil if the resource does not exist yet.
type Check func(current any) error

type key struct{}

// With returns a context with which changes are made only if check returns nil.
func With(ctx context.Context, check Check) context.Context {
	return context.WithValue(ctx, key{}, check)
}

// Given reports whether ctx has a check: a state that only a check needs is read only then.
func Given(ctx context.Context) bool { return ctx.Value(key{}) != nil }

// Of is the error of the check in ctx for the result of current; nil if there is no check.
func Of(ctx context.Context, current func() any) error {
	if check, ok := ctx.Value(key{}).(Check); ok {
		return check(current())
	}
	return nil
}
