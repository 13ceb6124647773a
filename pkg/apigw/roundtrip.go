package apigw

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
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
	// MaxInvocation is the largest event that a function is called with, and the largest answer that it may give, in bytes of JSON.
	MaxInvocation = 6 << 20
	// timeout is how long HTTP API waits for a function.
	timeout = 30 * time.Second
)

// drain is how much of a refused body is read before the answer, so that a client still sending it gets to see the answer.
const drain = 64 << 20

// Gateway plays HTTP API in front of a function: each HTTP request becomes an event, goes to the function as JSON, and its answer comes
// back as JSON. So a local run exercises every conversion that a deployment does, and AWS's limits on sizes hold. Two things differ:
// a path with an encoded `?` is not cut short there, and a body too large is refused in SCIM.
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
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxPayload+1))
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

// invoke calls the function with ev as AWS does: JSON in, JSON out. The error holds nothing of the request.
func (g Gateway) invoke(ctx context.Context, ev events.APIGatewayV2HTTPRequest) (resp events.APIGatewayV2HTTPResponse, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	var received events.APIGatewayV2HTTPRequest
	size, err := throughJSON(ev, &received)
	if err != nil {
		return resp, err
	}
	if size > MaxInvocation {
		return tooLarge(), nil
	}
	answered, err := g.Function(ctx, received)
	if err != nil {
		return resp, fmt.Errorf("apigw: function: %w", err)
	}
	size, err = throughJSON(answered, &resp)
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

// throughJSON encodes in and decodes it into out. It returns the size of the JSON in bytes.
func throughJSON(in, out any) (int, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(in); err != nil {
		return 0, errors.New("apigw: event is no JSON")
	}
	if err := json.Unmarshal(b.Bytes(), out); err != nil {
		return 0, errors.New("apigw: event does not decode")
	}
	return b.Len(), nil
}

// tooLarge is what stands for the gateway's own 413, which is no SCIM.
func tooLarge() events.APIGatewayV2HTTPResponse {
	return errorResponse(scim.Errorf(http.StatusRequestEntityTooLarge, scim.NoType,
		"The request is larger than a function can be sent: its body may have at most %d bytes, as JSON in the event %d.",
		MaxPayload, MaxInvocation))
}

// send writes resp as the answer to r.
func send(w http.ResponseWriter, r *http.Request, resp events.APIGatewayV2HTTPResponse) {
	body := []byte(resp.Body)
	if resp.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(resp.Body)
		if err != nil {
			http.Error(w, `{"message":"Internal Server Error"}`, http.StatusInternalServerError)
			return
		}
		body = decoded
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
		_, _ = w.Write(body)
	}
}
