package local

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// tell prints output for people: text, or with JSON the same as one line of it.
func (o Options) tell(line map[string]any, text string, args ...any) {
	if o.JSON {
		_ = json.NewEncoder(o.Out).Encode(line) // an error can't be reported
		return
	}
	fmt.Fprintf(o.Out, text, args...)
}

// logHandler writes the log, as text or as JSON.
func (o Options) logHandler() slog.Handler {
	options := &slog.HandlerOptions{Level: o.LogLevel}
	if o.JSON {
		return slog.NewJSONHandler(o.Log, options)
	}
	return slog.NewTextHandler(o.Log, options)
}
