package task_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// wantPanic checks that err is a panic that says no more than message.
func wantPanic(t *testing.T, err error, message string) {
	t.Helper()
	var p *task.Panic
	if !errors.As(err, &p) {
		t.Fatalf("got %v, want a panic", err)
	}
	if p.Error() != message {
		t.Errorf("the error says %q, want %q", p.Error(), message)
	}
	if !strings.Contains(string(p.Stack), "task_test.go") {
		t.Errorf("the stack does not tell where:\n%s", p.Stack)
	}
}

func TestPanicIsAnError(t *testing.T) {
	secret := func() error { panic("a name of somebody") }
	wantPanic(t, task.Do(secret), "panic: string")
	wantPanic(t, <-task.Start(secret), "panic: string")
	var g task.Group
	g.Go(secret)
	wantPanic(t, g.Wait(), "panic: string")

	var none map[string]int
	wantPanic(t, task.Do(func() error { none["a"] = 1; return nil }), "panic: assignment to entry in nil map")
}

func TestPanicAfterAWhileIsAnError(t *testing.T) {
	failed := make(chan error, 1)
	task.After(0, func() { panic("a name of somebody") }, func(err error) { failed <- err })
	wantPanic(t, <-failed, "panic: string")
	ran := make(chan struct{})
	task.After(0, func() { close(ran) }, func(err error) { t.Error(err) })
	<-ran
	if !task.After(time.Hour, func() { t.Error("ran") }, func(error) {}).Stop() {
		t.Error("the timer can't be stopped")
	}
}

func TestPanicEndsTheOthers(t *testing.T) {
	g, ctx := task.WithContext(t.Context())
	g.Go(func() error { <-ctx.Done(); return ctx.Err() })
	g.Go(func() error { panic(1) })
	wantPanic(t, g.Wait(), "panic: int")
	wantPanic(t, context.Cause(ctx), "panic: int")
}

func TestFirstErrorCounts(t *testing.T) {
	first := errors.New("first")
	g, ctx := task.WithContext(t.Context())
	g.Go(func() error { return first })
	g.Go(func() error { <-ctx.Done(); return errors.New("second") })
	if err := g.Wait(); !errors.Is(err, first) {
		t.Errorf("got %v", err)
	}
	if err := <-task.Start(func() error { return first }); !errors.Is(err, first) {
		t.Errorf("got %v", err)
	}
}

func TestWaitEndsTheContext(t *testing.T) {
	g, ctx := task.WithContext(t.Context())
	g.Go(func() error { return nil })
	if err := g.Wait(); err != nil || ctx.Err() == nil {
		t.Errorf("got %v, and the context has the error %v", err, ctx.Err())
	}
}

// TestLimitHoldsThroughPanics: each goroutine gives its room back, also if it panics, and no more run than may.
func TestLimitHoldsThroughPanics(t *testing.T) {
	var g task.Group
	g.SetLimit(2)
	var running, most, ran atomic.Int64
	for i := range 20 {
		g.Go(func() error {
			defer running.Add(-1)
			n := running.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			ran.Add(1)
			if i%2 == 0 {
				panic(i)
			}
			return nil
		})
	}
	wantPanic(t, g.Wait(), "panic: int")
	if ran.Load() != 20 || most.Load() > 2 {
		t.Errorf("%d of 20 ran, %d at once; want at most 2", ran.Load(), most.Load())
	}
}

// TestJoinIsGoAndWait: the last part runs in the caller's goroutine, and its errors and panics are those of the group.
func TestJoinIsGoAndWait(t *testing.T) {
	g, ctx := task.WithContext(t.Context())
	g.Go(func() error { <-ctx.Done(); return errors.New("second") })
	first := errors.New("first")
	if err := g.Join(func() error { return first }); !errors.Is(err, first) {
		t.Errorf("got %v", err)
	}
	wantPanic(t, new(task.Group).Join(func() error { panic(1) }), "panic: int")
	var limited task.Group
	limited.SetLimit(1)
	parts := 0
	limited.Go(func() error { parts++; return nil })
	if err := limited.Join(func() error { parts++; return nil }); err != nil || parts != 2 {
		t.Errorf("%d parts, %v", parts, err)
	}
}
