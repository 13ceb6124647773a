package metric

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
)

// Options of a Handler.
type Options struct {
	// Stack is the dimension that separates the deployments of one account.
	Stack string
	// Routes gives each route metrics of its own.
	Routes bool
}

// Handler returns a handler that writes to next, which has to write JSON, and adds the embedded metric format to the
// lines that are counted. A line that next drops because of its level is not counted.
func Handler(next slog.Handler, o Options) slog.Handler {
	h := &handler{Handler: next, stack: stackName(o.Stack), after: map[string]string{}}
	h.before, h.request = format(ofRequest(o.Routes)...)
	for message, name := range Counted {
		_, h.after[message] = format(ofCount(name))
	}
	return h
}

type handler struct {
	slog.Handler
	stack, before, request string
	after                  map[string]string // by message
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	at := strconv.FormatInt(r.Time.UnixMilli(), 10)
	switch after := h.after[r.Message]; {
	case r.Message == requestLine:
		var status int64
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "status" && a.Value.Kind() == slog.KindInt64 {
				status = a.Value.Int64()
			}
			return a.Key != "status"
		})
		r = r.Clone()
		r.AddAttrs(slog.String(keyStack, h.stack), slog.String(keyOutcome, outcome(status)), slog.Int(keyCount, 1),
			slog.Any(keyFormat, json.RawMessage(h.before+at+h.request)))
	case after != "":
		r = r.Clone()
		r.AddAttrs(slog.String(keyStack, h.stack), slog.Int(Counted[r.Message], 1),
			slog.Any(keyFormat, json.RawMessage(h.before+at+after)))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.Handler = h.Handler.WithAttrs(attrs)
	return &c
}

// WithGroup implements slog.Handler. A metric has to be a field of the line itself: none is found in a group.
func (h *handler) WithGroup(name string) slog.Handler { return h.Handler.WithGroup(name) }
