// Package metric makes metrics of log lines: it adds CloudWatch's embedded metric format to the lines that count, so
// that a function sends metrics without a call of its own.
//
//	format.go   the lines that count, and their metrics
//	handler.go  the slog.Handler that adds them
package metric
