// Package precondition carries a demand on the present state of something to the place that has just read it in order
// to change it. There the demand holds for the very state that the change replaces: between a check at the edge and the
// change somebody else could come in.
package precondition

import "context"

// Check is a demand on the present state; an error refuses the change. What current is, the package says that calls
// Of; nil if there is nothing yet.
type Check func(current any) error

type key struct{}

// With returns a context whose changes are made only if check agrees.
func With(ctx context.Context, check Check) context.Context {
	return context.WithValue(ctx, key{}, check)
}

// Of is the error of the check in ctx about what current returns; nil if there is no check.
func Of(ctx context.Context, current func() any) error {
	if check, ok := ctx.Value(key{}).(Check); ok {
		return check(current())
	}
	return nil
}
