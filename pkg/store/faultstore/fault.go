package faultstore

import (
	"math/rand/v2"
)

// Fault is the way in which one call goes wrong.
type Fault int

// The faults. One that a method cannot have (a Get never conflicts, a Transact is never partial) becomes Throttled.
const (
	// None lets the call through.
	None Fault = iota
	// Conflict answers store.ErrConflict; nothing happened. Transact only.
	Conflict
	// Throttled answers store.ErrThrottled; nothing happened.
	Throttled
	// LostRequest answers store.ErrUnavailable; nothing happened.
	LostRequest
	// LostAnswer answers store.ErrUnavailable; the call was made.
	LostAnswer
	// Partial leaves about half of the call unread or undone. Get and Batch only.
	Partial
)

// Plan returns the fault of the n-th call, from 0. It is asked once per call, by one goroutine at a time.
type Plan func(n int) Fault

// Script is a plan of one fault per call; when it is through, nothing goes wrong any more.
func Script(faults ...Fault) Plan {
	return func(n int) Fault {
		if n < len(faults) {
			return faults[n]
		}
		return None
	}
}

// Random is a plan under which a call goes wrong with probability rate, in one of the ways of faults, all of them if
// none is named. The same seed gives the same faults to the same sequence of calls.
func Random(seed uint64, rate float64, faults ...Fault) Plan {
	if len(faults) == 0 {
		faults = []Fault{Conflict, Throttled, LostRequest, LostAnswer, Partial}
	}
	return func(n int) Fault {
		r := rand.New(rand.NewPCG(seed, uint64(n))) //nolint:gosec // a test wants the same numbers again
		if r.Float64() >= rate {
			return None
		}
		return faults[r.IntN(len(faults))]
	}
}
