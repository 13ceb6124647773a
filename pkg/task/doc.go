// Package task is the one way to start goroutines: a panic in one becomes the error of the work that it belongs to, and
// the process lives. golang.org/x/sync/errgroup lets it end the process, and with it every other request.
package task
