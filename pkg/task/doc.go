// Package task starts all goroutines of the program. A panic in one becomes the error of its work, and the process does
// not end. With golang.org/x/sync/errgroup it would end the process, and with it all other requests.
package task
