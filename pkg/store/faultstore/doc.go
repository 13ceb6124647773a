// Package faultstore is a store.Engine around another one. It injects the conflicts, throttles, lost answers and deaths
// that a local engine never has. The faults are scripted, or drawn from a seed, so that a failure can be repeated.
package faultstore
