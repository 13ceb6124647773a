package store

import "context"

type holdKey struct{}

// Hold returns a context under which nothing is written before wait has returned, and nothing at all if it returned
// an error: a write then fails with that error. Reads go ahead. wait is called by every write, and must be safe for
// concurrent use.
func Hold(ctx context.Context, wait func() error) context.Context {
	return context.WithValue(ctx, holdKey{}, wait)
}

// held waits until ctx lets writes go ahead.
func held(ctx context.Context) error {
	if wait, ok := ctx.Value(holdKey{}).(func() error); ok {
		return wait()
	}
	return nil
}
