package task

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Panic is the error that a panic becomes.
type Panic struct {
	// Value is the argument of the panic. It may hold data of a request and must not leave the process.
	Value any
	// Stack is the stack of the goroutine that panicked.
	Stack []byte
}

// Error has the message of the panic only if it comes from the Go runtime, otherwise its type: the message may hold
// data of a request.
func (p *Panic) Error() string {
	if e, ok := p.Value.(interface{ RuntimeError() }); ok {
		return fmt.Sprint("panic: ", e)
	}
	return fmt.Sprintf("panic: %T", p.Value)
}

// Catch sets *err to a *Panic if the function that deferred it panics. Write `defer task.Catch(&err)`.
func Catch(err *error) {
	if v := recover(); v != nil {
		*err = &Panic{Value: v, Stack: debug.Stack()}
	}
}

// Do returns the error of f, a *Panic if f panics.
func Do(f func() error) (err error) {
	defer Catch(&err)
	return f()
}

// Start calls f in a goroutine of its own. The channel gives the error of f once, a *Panic if f panics; nobody need
// receive it.
func Start(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- Do(f) }()
	return done
}

// After calls f in a goroutine of its own, after a while, unless the timer is stopped before. A panic in f goes to
// failed, which must not panic.
func After(d time.Duration, f func(), failed func(error)) *time.Timer {
	return time.AfterFunc(d, func() {
		if err := Do(func() error { f(); return nil }); err != nil {
			failed(err)
		}
	})
}

// Group is some goroutines that work on the parts of one task. Its zero value is ready to use and cancels nothing.
type Group struct {
	cancel context.CancelCauseFunc
	room   chan struct{}
	all    sync.WaitGroup
	failed sync.Once
	err    error
}

// WithContext returns a Group, and a context that ends with the first error or when Wait returns.
func WithContext(ctx context.Context) (*Group, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Group{cancel: cancel}, ctx
}

// SetLimit lets at most n goroutines run at the same time. Call it before the first Go.
func (g *Group) SetLimit(n int) { g.room = make(chan struct{}, n) }

// Go calls f in a goroutine of its own, as soon as the limit has room for it. The first error ends the Group's context.
func (g *Group) Go(f func() error) {
	g.begin()
	go g.run(f)
}

// Join calls f like Go, but in the caller's goroutine, and then is Wait: for the last part of a task, which needs no
// goroutine of its own.
func (g *Group) Join(f func() error) error {
	g.begin()
	g.run(f)
	return g.Wait()
}

// begin counts one more goroutine, as soon as there is room for it.
func (g *Group) begin() {
	if g.room != nil {
		g.room <- struct{}{}
	}
	g.all.Add(1)
}

func (g *Group) run(f func() error) {
	defer g.all.Done()
	if g.room != nil {
		defer func() { <-g.room }()
	}
	err := Do(f)
	if err == nil {
		return
	}
	g.failed.Do(func() {
		g.err = err
		if g.cancel != nil {
			g.cancel(err)
		}
	})
}

// Wait waits until all goroutines have ended and returns the first error; a *Panic if that was a panic.
func (g *Group) Wait() error {
	g.all.Wait()
	if g.cancel != nil {
		g.cancel(g.err)
	}
	return g.err
}
