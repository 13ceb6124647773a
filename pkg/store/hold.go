package store

import "context"

type holdKey struct{}

// Hold returns a context in which every write waits until wait returns. If wait returns an error, the write fails
// with it, and writes nothing. Reads do not wait. Every write calls wait, which must be safe for concurrent use.
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
