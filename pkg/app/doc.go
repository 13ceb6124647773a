// Package app is where the program is put together: what each Lambda function is called with, which environment
// variables it reads and what it may do in AWS (Functions). The packages below it join engines to handlers: serve for
// the functions that answer HTTP, work for those that answer nobody, local for everything in one process.
// They are apart so that a function links no more than it needs.
package app
