package event

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Lines is a Sink that writes each event as one line of JSON.
type Lines struct {
	mu    sync.Mutex
	write func([]byte) error
}

// NewLines returns a Sink that calls write with whole lines, one call at a time. write returns nil once they are safe.
func NewLines(write func(lines []byte) error) *Lines { return &Lines{write: write} }

// Put is Sink.Put.
func (l *Lines) Put(ctx context.Context, events ...Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var lines []byte
	for _, e := range events {
		lines = append(append(lines, e.JSON()...), '\n')
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(lines); err != nil {
		return fmt.Errorf("event: write: %w", err)
	}
	return nil
}

// remembered is how many events a Memory holds.
const remembered = 10_000

// Memory is a Sink that holds the newest 10,000 events.
type Memory struct {
	mu     sync.Mutex
	events []Event
}

// Put is Sink.Put.
func (m *Memory) Put(ctx context.Context, events ...Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, events...)
	if over := len(m.events) - remembered; over > 0 {
		m.events = slices.Delete(m.events, 0, over)
	}
	return nil
}

// Events returns what was put, in order.
func (m *Memory) Events() []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.events)
}
