// Package metric makes metrics from log lines: it adds CloudWatch's embedded metric format to the lines that are
// counted, so that a function sends metrics without a further call.
//
//	format.go   the lines that count, and their metrics
//	handler.go  the slog.Handler that adds them
package metric
