// Package fakelambda runs Lambda functions on this machine as AWS does, so that tests can run the deployed
// programs: the same binaries behind an emulation of Lambda's Runtime API (Function), of an HTTP API's routes (API)
// and of the mapping from a table's stream to a function (Poller).
package fakelambda
