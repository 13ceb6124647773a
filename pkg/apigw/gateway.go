package apigw

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Limits of AWS that a request or an answer may run into.
const (
	// MaxPayload is the largest body that HTTP API takes, in bytes.
	MaxPayload = 10 << 20
	// MaxInvocation is the largest event that a function is called with, and the largest answer that it may give, in bytes
	// of JSON.
	MaxInvocation = 6 << 20
	// timeout is how long HTTP API waits for a function.
	timeout = 30 * time.Second
)

// drain is how much of a refused body is read before the answer, so that a client still sending it gets to see the
// answer.
const drain = 64 << 20

// Gateway plays HTTP API in front of a function: each HTTP request becomes an event, reaches the function as JSON would
// carry it, and so does the answer come back. So a local run exercises every conversion that a deployment does, and
// AWS's limits on sizes hold. Two things differ: a path with an encoded `?` is not cut short there, and a body too
// large is refused in SCIM.
type Gateway struct {
	// Function is what is called. It goes on when the client hangs up, as it does in AWS.
	Function Function
	// Now gives the time that events carry; without it they carry none.
	Now func() time.Time
}

// RoundTrip returns the Gateway in front of f.
func RoundTrip(f Function) http.Handler { return Gateway{Function: f} }

// ServeHTTP implements http.Handler.
func (g Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		send(w, r, errorResponse(scim.BadRequest(scim.InvalidSyntax, "The request body could not be read to its end.")))
		return
	}
	if len(body) > MaxPayload {
		_, _ = io.CopyN(io.Discard, r.Body, drain)
		send(w, r, tooLarge())
		return
	}
	resp, err := g.invoke(r.Context(), event(r, body, g.Now))
	if err != nil {
		slog.ErrorContext(r.Context(), "function failed", "error", err)
		resp = events.APIGatewayV2HTTPResponse{
			StatusCode: http.StatusInternalServerError,
			Headers:    map[string]string{"Content-Type": "application/json"},
			Body:       `{"message":"Internal Server Error"}`,
		}
	}
	send(w, r, resp)
}

// invoke calls the function with ev as AWS does. The error holds nothing of the request.
func (g Gateway) invoke(ctx context.Context, ev events.APIGatewayV2HTTPRequest) (
	resp events.APIGatewayV2HTTPResponse, err error,
) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	ev, size, err := sentRequest(ev)
	if err != nil {
		return resp, err
	}
	if size > MaxInvocation {
		return tooLarge(), nil
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

// tooLarge is what stands for the gateway's own 413, which is no SCIM.
func tooLarge() events.APIGatewayV2HTTPResponse {
	return errorResponse(scim.Errorf(http.StatusRequestEntityTooLarge, scim.NoType,
		"The request is larger than a function can be sent: its body may have at most %d bytes, as JSON in the event %d.",
		MaxPayload, MaxInvocation))
}

// readBody reads the body of r, up to one byte beyond what the gateway takes.
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
	body := resp.Body
	if resp.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(resp.Body)
		if err != nil {
			http.Error(w, `{"message":"Internal Server Error"}`, http.StatusInternalServerError)
			return
		}
		body = string(decoded)
	}
	h := w.Header()
	for name, value := range resp.Headers {
		h.Set(name, value)
	}
	h.Del("Content-Length")
	for _, cookie := range resp.Cookies {
		h.Add("Set-Cookie", cookie)
	}
	empty := resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified
	if h.Get("Content-Type") == "" && !empty {
		h.Set("Content-Type", "application/json")
	}
	w.WriteHeader(resp.StatusCode)
	if !empty && r.Method != http.MethodHead {
		// A client that is gone can't be told.
		_, _ = io.WriteString(w, body)
	}
}
