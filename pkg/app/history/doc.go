// Package history tests many clients at the same time, while processes die and engines fail. porcupine checks that
// their answers are possible for some order of the requests, one after the other: for one user and for one group.
package history
