// Package sequence fuzzes the whole server: bytes become a sequence of requests, and afterwards every rule of the
// table holds.
package sequence
