// Package guide is the pages that lead through the set-up: the start page with its steps, how to connect each identity
// provider, and a try with one person.
package guide
