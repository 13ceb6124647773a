// Package e2e judges the built programs, tests only: the functions' binaries behind emulations of Lambda, API Gateway
// and a table's stream, and functions/local as a process that is started, stopped and killed.
package e2e
