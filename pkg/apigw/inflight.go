package apigw

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// small is the size in bytes up to which bodies and answers are not counted: most are smaller, and the buffers of a
	// connection hold such an answer.
	small = 64 << 10
	// sendWithin is how long a client may take to read a larger answer.
	sendWithin = 30 * time.Second
	// waitFor is how long an answer waits for room: it is in memory meanwhile.
	waitFor = 5 * time.Second
	// callsAtOnce bounds the calls of functions under way, heldBytes the larger bodies that are being read and, apart
	// from them, the larger answers that clients have not read yet.
	callsAtOnce = 64
	heldBytes   = 64 << 20
)

// InFlight bounds what all requests of a process hold at the same time: calls of functions, bodies, and answers.
// Requests wait for room in this order, so that nobody who holds one waits for an earlier one.
type InFlight struct{ calls, bodies, answers *semaphore.Weighted }

// NewInFlight returns the bounds for one process. Gateways may share them.
func NewInFlight() *InFlight {
	return &InFlight{
		calls: semaphore.NewWeighted(callsAtOnce), bodies: semaphore.NewWeighted(heldBytes),
		answers: semaphore.NewWeighted(heldBytes),
	}
}

func nothing() {}

// call waits, at most for a time, until a function may be called.
func (f *InFlight) call(ctx context.Context, most time.Duration) (release func(), err error) {
	if f == nil {
		return nothing, nil
	}
	if f.calls.TryAcquire(1) {
		return func() { f.calls.Release(1) }, nil
	}
	return take(ctx, f.calls, 1, most)
}

// body waits until the body of r may be read.
func (f *InFlight) body(r *http.Request) (release func(), err error) {
	length := r.ContentLength
	if length < 0 {
		length = MaxPayload
	}
	if f == nil || length <= small {
		return nothing, nil
	}
	return take(r.Context(), f.bodies, min(length, MaxPayload), timeout)
}

// answer waits until an answer of size bytes may wait for its reader.
func (f *InFlight) answer(ctx context.Context, size int) (release func(), err error) {
	if f == nil || size <= small {
		return nothing, nil
	}
	return take(ctx, f.answers, int64(size), waitFor)
}

func take(ctx context.Context, s *semaphore.Weighted, n int64, most time.Duration) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	if err := s.Acquire(ctx, n); err != nil {
		return nothing, err
	}
	return func() { s.Release(n) }, nil
}
