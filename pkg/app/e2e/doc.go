// Package e2e has only tests, of the built programs: the functions' binaries with emulations of Lambda, API Gateway and
// a table's stream, and functions/local as a process that is started, stopped and killed.
package e2e
