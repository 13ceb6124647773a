package apigw

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Limits of AWS that a request or an answer may run into.
const (
	// MaxPayload is the largest body that HTTP API takes, in bytes.
	MaxPayload = 10 << 20
	// MaxInvocation is the largest event that a function is called with, and the largest answer that it may give, in
	// bytes of JSON.
	MaxInvocation = 6 << 20
	// timeout is how long HTTP API waits for a function.
	timeout = 30 * time.Second
)

// drain is the number of bytes of a refused body that are read after the answer, so that a client that is still
// sending gets the answer.
const drain = 64 << 20

// Gateway emulates HTTP API in front of a function: each HTTP request becomes an event, and the event and the
// answer are passed as JSON would carry them. So a local run makes the same conversions as a deployment, and has
// AWS's limits on sizes and time. Two things differ: a path with an encoded `?` is not cut short there, and Fail
// may answer in the format of the function's protocol.
type Gateway struct {
	// Function answers the events. It goes on when the client hangs up, as it does in AWS.
	Function Function
	// Now gives the time that events carry; nil gives none.
	Now func() time.Time
	// Fail answers requests that the gateway itself refuses, with a Content-Length; nil answers as API Gateway
	// does.
	Fail func(w http.ResponseWriter, r *http.Request, status int, detail string)
	// Admit looks at a request before its body is read; nil admits all.
	Admit func(r *http.Request) Admission
	// InFlight bounds the calls and bytes that requests hold at the same time; nil sets no bound.
	InFlight *InFlight
	// Timeout is how long the client waits for the function; 0 means 30 seconds, as in AWS.
	Timeout time.Duration
}

// Admission is the result of Admit, before the request's body is read.
type Admission struct {
	// Party is the tenant whose requests are bounded together; empty stands for the address of the client.
	Party string
	// Context replaces the request's context for the function, and can carry results of Admit; nil changes nothing.
	Context context.Context
	// Large says that the answer may be large.
	Large bool
	// Refuse says that the body is not read. The function gets the request without it, and is expected to refuse it.
	Refuse bool
}

// RoundTrip returns the Gateway in front of f.
func RoundTrip(f Function) http.Handler { return Gateway{Function: f} }

// ServeHTTP implements http.Handler.
func (g Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.Timeout == 0 {
		g.Timeout = timeout
	}
	var known Admission
	if g.Admit != nil {
		known = g.Admit(r)
	}
	if known.Context != nil {
		r = r.WithContext(known.Context)
	}
	if known.Party == "" {
		known.Party = addressOf(r)
	}
	v := g.InFlight.begin(known.Party, known.Large)
	defer v.end()
	if r.Body == nil || r.Body == http.NoBody {
		g.call(w, r, v, nil)
		return
	}
	if known.Refuse {
		w.Header().Set("Connection", "close")
		g.call(w, r, v, nil)
		linger(w, r, time.Second)
		return
	}
	release, err := v.body(r)
	if err != nil {
		w.Header().Set("Connection", "close")
		g.busy(w, r)
		return
	}
	defer release()
	body, err := readBody(r)
	switch {
	case err != nil:
		g.fail(w, r, http.StatusBadRequest, "The request body could not be read to its end.")
	case len(body) > MaxPayload:
		w.Header().Set("Connection", "close")
		g.tooLarge(w, r)
		linger(w, r, 10*time.Second)
	default:
		g.call(w, r, v, body)
	}
}

// linger continues to read, for a limited time, from a client that is still sending a refused body: if the connection
// were closed at once, the client might never get the answer.
func linger(w http.ResponseWriter, r *http.Request, most time.Duration) {
	rc := http.NewResponseController(w)
	if rc.Flush() != nil || rc.SetReadDeadline(time.Now().Add(most)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, drain)
}

// call calls the function and sends its answer, or gives up at the timeout: the function then still runs to its
// end. The wait for other requests counts.
func (g Gateway) call(w http.ResponseWriter, r *http.Request, v *visit, body []byte) {
	began := time.Now()
	made, sent, err := v.call(r.Context(), g.Timeout)
	if err != nil {
		g.busy(w, r)
		return
	}
	defer func() { made(); sent() }()
	var (
		mu       sync.Mutex
		answered bool
	)
	watch := task.After(g.Timeout-time.Since(began), func() {
		mu.Lock()
		defer mu.Unlock()
		if answered {
			return
		}
		answered = true
		w.Header().Set("Connection", "close")
		g.fail(w, r, http.StatusServiceUnavailable, "The request took too long. Try again, or request less at a time.")
		_ = http.NewResponseController(w).Flush()
	}, func(err error) { slog.ErrorContext(r.Context(), "time limit not answered", "error", err) })
	resp, err := g.invoke(r.Context(), event(r, body, g.Now))
	watch.Stop()
	mu.Lock()
	late := answered
	answered = true
	mu.Unlock()
	switch {
	case late:
		return
	case errors.Is(err, errTooLarge):
		g.tooLarge(w, r)
		return
	case err != nil:
		slog.ErrorContext(r.Context(), "function failed", "error", err)
		resp = plain(http.StatusInternalServerError)
	}
	// An answer that waits for room to be sent holds no room that others need to have theirs made.
	made()
	made = nothing
	if resp.StatusCode == http.StatusTooManyRequests {
		v.slow()
	}
	release, err := v.answer(r.Context(), len(resp.Body))
	if err != nil {
		g.busy(w, r)
		return
	}
	defer release()
	if len(resp.Body) <= small {
		sent()
		sent = nothing
	}
	send(w, r, resp)
}

// fail answers for the gateway itself.
func (g Gateway) fail(w http.ResponseWriter, r *http.Request, status int, detail string) {
	if g.Fail == nil {
		send(w, r, plain(status))
		return
	}
	g.Fail(w, r, status, detail)
}

func (g Gateway) busy(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "1")
	g.fail(w, r, http.StatusServiceUnavailable, "The server is busy with other requests. Try again in a moment.")
}

func (g Gateway) tooLarge(w http.ResponseWriter, r *http.Request) {
	g.fail(w, r, http.StatusRequestEntityTooLarge, fmt.Sprintf("The request is too large for a function: "+
		"its body may have at most %d bytes, as JSON in the event %d.", MaxPayload, MaxInvocation))
}

// errTooLarge says that a request does not fit in an event.
var errTooLarge = errors.New("apigw: event is over the limit")

// invoke calls the function with ev as AWS does. The error contains no part of the request.
func (g Gateway) invoke(
	ctx context.Context, ev events.APIGatewayV2HTTPRequest,
) (resp events.APIGatewayV2HTTPResponse, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.Timeout)
	defer cancel()
	ev, size, err := sentRequest(ev)
	if err != nil {
		return resp, err
	}
	if size > MaxInvocation {
		return resp, errTooLarge
	}
	answered, err := g.Function(ctx, ev)
	if err != nil {
		return resp, fmt.Errorf("apigw: function: %w", err)
	}
	resp, size, err = sentResponse(answered)
	switch {
	case err != nil:
		return resp, err
	case size > MaxInvocation:
		return resp, fmt.Errorf("apigw: function: answer of %d bytes is over the limit of %d", size, MaxInvocation)
	case resp.StatusCode < 200 || resp.StatusCode > 599:
		return resp, fmt.Errorf("apigw: function: status %d", resp.StatusCode)
	}
	return resp, nil
}

// readBody reads the body of r, up to one byte beyond the gateway's limit.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	var b bytes.Buffer
	if 0 < r.ContentLength && r.ContentLength <= certain {
		b.Grow(int(r.ContentLength) + bytes.MinRead) // ReadFrom wants that much room beyond the end
	}
	_, err := b.ReadFrom(io.LimitReader(r.Body, MaxPayload+1))
	return b.Bytes(), err
}

// send writes resp as the answer to r.
func send(w http.ResponseWriter, r *http.Request, resp events.APIGatewayV2HTTPResponse) {
	write, size := func() { _, _ = io.WriteString(w, resp.Body) }, len(resp.Body)
	if resp.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(resp.Body)
		if err != nil {
			send(w, r, plain(http.StatusInternalServerError))
			return
		}
		write, size = func() { _, _ = w.Write(decoded) }, len(decoded)
	}
	h := w.Header()
	setAll(h, resp.Headers)
	h.Set("Content-Length", strconv.Itoa(size))
	for _, cookie := range resp.Cookies {
		h.Add("Set-Cookie", cookie)
	}
	empty := resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified
	if empty || r.Method == http.MethodHead {
		h.Del("Content-Length")
	}
	if h.Get("Content-Type") == "" && !empty {
		h.Set("Content-Type", "application/json")
	}
	if size > small {
		// A client that reads nothing must not hold the answer for ever. Whether w has deadlines does not matter.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sendWithin))
	}
	w.WriteHeader(resp.StatusCode)
	if !empty && r.Method != http.MethodHead {
		// There is no one to report it to: the client is gone.
		write()
	}
}
