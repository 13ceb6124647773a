package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// margin is the part of the caller's time that is kept for an answer that says that the time has run out.
const margin = 500 * time.Millisecond

// Edge is the http.Handler of one protocol. Serve and Fail are required.
type Edge struct {
	// Name says in the log which edge a request came to.
	Name string
	// Serve answers a request, or returns the error to answer. The context ends in time for an answer that says so.
	Serve func(ctx context.Context, w http.ResponseWriter, r *Request) error
	// Fail answers an error of Serve in the format of the edge: a *task.Panic if Serve panicked. It is called only if
	// nothing was answered yet.
	Fail func(ctx context.Context, w http.ResponseWriter, r *Request, err error)
	// Log gets one line a request: no more of its path than Request.Route, and nothing of its query, headers and body.
	// nil discards.
	Log *slog.Logger
	// Now measures how long requests take; nil is time.Now.
	Now func() time.Time
}

// New returns the handler of an edge.
func New(e Edge) http.Handler {
	if e.Log == nil {
		e.Log = slog.New(slog.DiscardHandler)
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	return &e
}

// exchange is a request and its answer: one piece of memory for both.
type exchange struct {
	request Request
	answer  answer
}

// ServeHTTP implements http.Handler.
func (e *Edge) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	started := e.Now()
	ctx := hr.Context()
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
		defer cancel()
	}
	x := &exchange{Request{Request: hr, ID: requestID(hr)}, answer{ResponseWriter: w}}
	Headers(w)
	w.Header().Set("X-Request-Id", x.request.ID)
	err := e.serve(ctx, x)
	if err != nil {
		e.tell(ctx, x, err)
	}
	broken := err != nil && x.answer.status != 0
	if err != nil && !broken {
		e.Fail(ctx, &x.answer, &x.request, err)
	}
	e.line(ctx, x, e.Now().Sub(started))
	if broken {
		// A part of the answer is sent: the connection has to end, so that the client does not take it for the
		// whole.
		panic(http.ErrAbortHandler)
	}
}

func (e *Edge) serve(ctx context.Context, x *exchange) (err error) {
	defer task.Catch(&err)
	return e.Serve(ctx, &x.answer, &x.request)
}

// tell logs a panic with its stack.
func (e *Edge) tell(ctx context.Context, x *exchange, err error) {
	if p := (*task.Panic)(nil); errors.As(err, &p) {
		e.Log.ErrorContext(ctx, "panic", "requestId", x.request.ID, "error", p, "stack", string(p.Stack))
	}
}

// line writes the one line of a request.
func (e *Edge) line(ctx context.Context, x *exchange, took time.Duration) {
	if !e.Log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	r := &x.request
	route := r.Route
	if route == "" {
		route = "-"
	}
	var room [16]slog.Attr
	e.Log.LogAttrs(ctx, slog.LevelInfo, "request", append(append(room[:0],
		slog.String("requestId", r.ID),
		slog.String("edge", e.Name),
		slog.String("method", logMethod(r.Method)),
		slog.String("route", route),
		slog.Int("status", x.answer.status),
		slog.Float64("durationMs", float64(took.Microseconds())/1000),
	), r.Attrs...)...)
}

// logMethod is a method that can be logged: a client may send any word as one.
func logMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions:
		return method
	}
	return "other"
}

// answer is an http.ResponseWriter that remembers the status.
type answer struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Status is the status that an Edge has answered so far through the writer that it gave to Serve; 0 if it has not.
func Status(w http.ResponseWriter) int {
	if a, ok := w.(*answer); ok {
		return a.status
	}
	return 0
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
