package fakelambda

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// Function is a Lambda function: a program, its environment variables, and the processes that run it, one invocation
// each at a time.
type Function struct {
	// Name is the function's name.
	Name string
	// Program is the file that Lambda would call bootstrap.
	Program string
	// Env are all its variables but those that Lambda sets, as "NAME=value".
	Env []string
	// Timeout ends an invocation.
	Timeout time.Duration
	// Concurrency is how many processes there may be at a time.
	Concurrency int
	// Log takes the output of the processes.
	Log io.Writer

	once  sync.Once
	slots chan struct{}
	mu    sync.Mutex
	all   []*environment // that were ever started
	idle  []*environment
}

// FunctionError is the error of an invocation without an answer: the function's own error, its exit, or its
// timeout.
type FunctionError struct {
	Function, Type, Body string
}

func (e *FunctionError) Error() string {
	return fmt.Sprintf("fakelambda: function %s: %s %s", e.Function, e.Type, e.Body)
}

// Invoke calls the function with an event and returns its answer, both JSON. It waits if all processes are busy. The
// error is a *FunctionError unless ctx ended or no process could be started.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	f.once.Do(func() { f.slots = make(chan struct{}, f.Concurrency) })
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-f.slots }()
	e := f.take()
	if e == nil {
		var err error
		if e, err = start(f); err != nil {
			return nil, err
		}
		f.mu.Lock()
		f.all = append(f.all, e)
		f.mu.Unlock()
	}
	answer, err := e.invoke(event, f.Timeout)
	if e.alive() {
		f.give(e)
	}
	return answer, err
}

// take returns a process that waits for an invocation; nil if there is none.
func (f *Function) take() *environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.idle) == 0 {
		return nil
	}
	e := f.idle[len(f.idle)-1]
	f.idle = f.idle[:len(f.idle)-1]
	return e
}

func (f *Function) give(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, e)
}

// Close ends the processes; invocations under way fail.
func (f *Function) Close() {
	f.mu.Lock()
	all := f.all
	f.all, f.idle = nil, nil
	f.mu.Unlock()
	for _, e := range all {
		e.kill()
	}
}

// Peak returns the most memory that the newest process ever had, in bytes. The error is errors.ErrUnsupported but on
// Linux.
func (f *Function) Peak() (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) == 0 {
		return 0, fmt.Errorf("fakelambda: function %s has no process", f.Name)
	}
	return peak(f.all[len(f.all)-1].process)
}
