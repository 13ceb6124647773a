package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// maxDoublings of BaseDelay bounds the pause between two tries.
const maxDoublings = 50

// retry calls work until it succeeds, fails with an error that is not retryable, or time is up. Pauses have full jitter. Work
// reports progress where it did a part: the pauses then begin anew.
func (s *Store) retry(ctx context.Context, retryable func(error) bool, work func(context.Context) (progress bool, err error)) error {
	inner, cancel := context.WithTimeout(ctx, s.o.MaxWait)
	defer cancel()
	bound := s.o.BaseDelay
	var last error
	for {
		progress, err := work(inner)
		if err == nil {
			return nil
		}
		if !retryable(err) {
			return ended(ctx, inner, last, err)
		}
		last = err
		if progress {
			bound = s.o.BaseDelay
		}
		if !pause(inner, rand.N(bound)) {
			return ended(ctx, inner, last, inner.Err())
		}
		bound = min(2*bound, maxDoublings*s.o.BaseDelay)
	}
}

// ended makes the error of a call that is not tried again: err itself, unless it only says that time is up. Then the last error
// that asked for another try says more; without one, the engine did not answer in time.
func ended(ctx, inner context.Context, last, err error) error {
	if inner.Err() == nil || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return err
	}
	if last == nil {
		last = ErrUnavailable
	}
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%w (%w)", last, cause)
	}
	return last
}

// pause waits for d and reports whether ctx lets work go on after it.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
