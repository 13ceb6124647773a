// Package app connects the parts of the program. Functions lists the Lambda functions: the routes of each, the
// environment variables that it reads, and the actions that it may call in AWS. The packages below it join engines to
// handlers: serve for the functions that answer HTTP, work for those that run in the background, local for everything
// in one process. They are separate packages so that a function links no more than it needs.
package app
