// Package faultstore is a store.Engine that goes wrong on purpose, around one that works: the conflicts,
// throttles, lost answers and deaths that a local engine never has. The faults are scripted, or drawn from a seed,
// so that a failure can be repeated.
package faultstore
