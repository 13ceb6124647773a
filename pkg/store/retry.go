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

// retry calls work until it succeeds, fails with an error that is not retryable, or time is up. Pauses have full
// jitter. Work reports progress if it did a part: the pauses then begin anew.
func (s *Store) retry(
	ctx context.Context, retryable func(error) bool, work func(context.Context) (progress bool, err error),
) error {
	begin := time.Now()
	// The first try is under the caller's context: nearly every call needs no other, and a timer
	// for each costs as much as a read of the embedded engine.
	_, err := work(ctx)
	switch {
	case err == nil:
		return nil
	case timeIsUp(ctx, err):
		// The engine was cut off in the middle of the call: a write may have happened.
		return exhausted(ctx, ErrUnavailable)
	case !retryable(err):
		return err
	}
	inner, cancel := context.WithDeadline(ctx, begin.Add(s.o.MaxWait))
	defer cancel()
	bound := s.o.BaseDelay
	last := err
	for pause(inner, rand.N(bound)) {
		bound = min(2*bound, maxDoublings*s.o.BaseDelay)
		progress, err := work(inner)
		switch {
		case err == nil:
			return nil
		case timeIsUp(inner, err):
			return exhausted(ctx, latest(last, ErrUnavailable))
		case !retryable(err):
			return err
		}
		last = latest(last, err)
		if progress {
			bound = s.o.BaseDelay
		}
	}
	return exhausted(ctx, last)
}

// latest returns err, which came after last. A write that may have happened stays in doubt: ErrUnavailable is
// never replaced by an error that says that nothing was written.
func latest(last, err error) error {
	if errors.Is(last, ErrUnavailable) && !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%w, then: %v", ErrUnavailable, err)
	}
	return err
}

func timeIsUp(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled))
}

// exhausted makes the error of a call that would be tried again if there were time. It names the end of ctx if that
// is why.
func exhausted(ctx context.Context, last error) error {
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%w (%w)", last, cause)
	}
	return last
}

// pause waits for d and reports whether ctx lets work go on after it.
func pause(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// IsBusy reports whether err says that the engine could not do the work now, and may do it later.
func IsBusy(err error) bool {
	return errors.Is(err, ErrConflict) || errors.Is(err, ErrThrottled) || errors.Is(err, ErrUnavailable)
}
