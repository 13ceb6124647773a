package store

import (
	"context"
	"sync"
)

// Cost is the consumption of a piece of work in DynamoDB's on-demand units: a read unit is 4 KiB read strongly
// consistently, a write unit 1 KiB written; a transaction doubles both.
type Cost struct {
	Calls      int
	ReadUnits  float64
	WriteUnits float64
}

// Meter adds up Cost. It is safe for concurrent use.
type Meter struct {
	mu    sync.Mutex
	total Cost
}

// Total returns the sum so far.
func (m *Meter) Total() Cost {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

type meterKey struct{}

// WithMeter returns a context under which every engine call adds its cost to the returned Meter, and to those of the
// contexts around it.
func WithMeter(ctx context.Context) (context.Context, *Meter) {
	m := &Meter{}
	parent, _ := ctx.Value(meterKey{}).([]*Meter)
	return context.WithValue(ctx, meterKey{}, append(parent[:len(parent):len(parent)], m)), m
}

// WithoutMeter returns a context whose engine calls are not counted: for background work started by a request.
func WithoutMeter(ctx context.Context) context.Context {
	return context.WithValue(ctx, meterKey{}, []*Meter(nil))
}

// Charge adds c to the meters of ctx. Engines call it once per call.
func Charge(ctx context.Context, c Cost) {
	meters, _ := ctx.Value(meterKey{}).([]*Meter)
	for _, m := range meters {
		m.mu.Lock()
		m.total.Calls += c.Calls
		m.total.ReadUnits += c.ReadUnits
		m.total.WriteUnits += c.WriteUnits
		m.mu.Unlock()
	}
}
